// The figures of one rollout while they are fresh: what each version did since somebody last asked, and the open stratum
// that the checks will compare. Outcomes fall in, the controller takes out.
import { bucketPrefix, hashUser } from '../rollout/bucket.ts';
import type { Assignment, Observation } from '../rollout/observation.ts';
import type { Rollout } from '../rollout/policy.ts';
import { emptyArm, emptyFigures, type Figures, type StratumArm } from '../rollout/figures.ts';
import { isGrpcFailure } from '../rollout/grpc-status.ts';
import { firstSliceMs, isStratumDue, nextSliceMs } from '../rollout/stratum-rule.ts';
import { createHistogram, observe } from '../stats/log-histogram.ts';
import { FirstSeen } from './first-seen.ts';
import { RiskSet, type RiskSetSnapshot } from './risk-set.ts';

/** A closed slice of time, by version index (0 is the baseline). */
export type Stratum = { readonly beganMs: number; readonly endedMs: number; readonly arms: readonly StratumArm[] };

/** A slice remembers whom it counted; so many are enough for any test, and it is closed. */
const largestStratumCount = 100_000;
const seenPrefix = bucketPrefix('graygate:seen');

/** Whether a request ended as a failure of the version that was decided: a 5xx, what is one in gRPC, or a fault of one of its servers. */
export function hasFailed(outcome: Observation): boolean {
  return (
    outcome.fallback !== null ||
    outcome.status >= 500 ||
    isGrpcFailure(outcome.grpcStatus) ||
    outcome.retries.length > 0 ||
    outcome.faults.some(({ version }) => version === outcome.decided)
  );
}

export class Window {
  readonly #riskSet: RiskSet;
  readonly #firstSeen = new FirstSeen();
  readonly #rollout: Rollout;
  /** The last rollout whose requests count here: the same one, or a later policy's. */
  #known: Rollout;
  #figures: Figures[];
  #arms: StratumArm[];
  #beganMs: number;
  #isTouched = false;
  /** Requests of the split in the open stratum, counted or not: what makes slices short. */
  #requestCount = 0;
  #sliceMs = firstSliceMs;

  constructor(rollout: Rollout, nowMs: number, riskSet: RiskSetSnapshot = []) {
    this.#rollout = rollout;
    this.#known = rollout;
    this.#riskSet = new RiskSet(riskSet);
    this.#figures = this.#emptyFigures();
    this.#arms = this.#emptyArms();
    this.#beganMs = nowMs;
  }

  /** Takes note of a decision at the moment it is made, when the split it was made by is still the one in force. */
  assigned({ rollout, user, bucket, rule, version }: Assignment): void {
    if (user === null || bucket === null || rule !== null || !this.#isOurs(rollout)) return;
    if (!this.#firstSeen.isNew(hashUser(seenPrefix, user))) return;
    this.#figures[version.index]!.newUserCount += 1;
    this.#isTouched = true;
  }

  /**
   * Takes in the outcome of a request that this rollout decided. It counts for the version that was decided; one that was
   * decided for another release, or among other versions, and ends late says nothing of these.
   */
  observe(outcome: Observation): void {
    if (outcome.rollout === null || !this.#isOurs(outcome.rollout)) return;
    const { index } = outcome.decided!;
    this.#isTouched = true;
    const figures = this.#figures[index]!;
    const failed = hasFailed(outcome);
    const isRandom = outcome.rule === null && outcome.bucket !== null;
    if (isRandom) {
      this.#requestCount += 1;
      figures.splitCount += 1;
      if (failed) figures.splitFailureCount += 1;
    } else if (outcome.rule !== null) {
      figures.ruleCount += 1;
      if (failed) figures.ruleFailureCount += 1;
    } else {
      figures.otherCount += 1;
      if (failed) figures.otherFailureCount += 1;
    }
    const hasLatency = outcome.ending !== 'upgraded';
    const isOther = !isRandom && outcome.rule === null;
    const latencies = isOther ? (figures.otherLatencies ??= createHistogram()) : figures.latencies;
    if (hasLatency) observe(latencies, outcome.durationMs);
    if (!isRandom || !this.#riskSet.admits(outcome.user ?? outcome.ip, failed)) return;
    const arm = this.#arms[index]!;
    arm.exposedCount += 1;
    if (failed) arm.failedCount += 1;
    if (hasLatency) observe(arm.latencies, outcome.durationMs);
  }

  /** Everything since the last call, by version index; null where nothing came. */
  takeFigures(): readonly Figures[] | null {
    if (!this.#isTouched) return null;
    const taken = this.#figures;
    this.#figures = this.#emptyFigures();
    this.#isTouched = false;
    return taken;
  }

  /** The open stratum if it is due (`isStratumDue`, or too many to remember), else null. */
  closeStratum(nowMs: number): Stratum | null {
    // After the clock was set back the slice begins anew: it would not end before the clock is where it was.
    if (nowMs < this.#beganMs) this.#beganMs = nowMs;
    const elapsedMs = nowMs - this.#beganMs;
    const baselineCount = this.#arms[0]!.exposedCount;
    // Of all candidates together: one with few users must not make the others wait, and loses little.
    const candidateCount = this.#arms.reduce((sum, arm) => sum + arm.exposedCount, -baselineCount);
    const isFull = baselineCount + candidateCount >= largestStratumCount;
    if (!isFull && !isStratumDue({ elapsedMs, sliceMs: this.#sliceMs, baselineCount, candidateCount })) return null;
    const closed = { beganMs: this.#beganMs, endedMs: nowMs, arms: this.#arms };
    this.#sliceMs = nextSliceMs(this.#requestCount, Math.max(1, elapsedMs));
    this.#requestCount = 0;
    this.#arms = this.#emptyArms();
    this.#beganMs = nowMs;
    this.#riskSet.nextSlice();
    return closed;
  }

  /** The users who failed, for the next process. */
  riskSet(): RiskSetSnapshot {
    return this.#riskSet.snapshot();
  }

  #isOurs(rollout: Rollout): boolean {
    if (rollout === this.#known) return true;
    const isSame =
      rollout.staging.release === this.#rollout.staging.release && namesIn(rollout) === namesIn(this.#rollout);
    if (isSame) this.#known = rollout;
    return isSame;
  }

  #emptyFigures(): Figures[] {
    return Array.from({ length: this.#rollout.versions.length }, emptyFigures);
  }

  #emptyArms(): StratumArm[] {
    return Array.from({ length: this.#rollout.versions.length }, emptyArm);
  }
}

function namesIn({ versions }: Rollout): string {
  return versions.map(({ name }) => name).join();
}
