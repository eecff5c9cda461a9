// Everything that speaks for or against the candidates of one rollout: a ledger for each that is compared with the baseline, and
// whether users fall to the versions as the split says. No clock: times come in.
import type { BusinessNumbers } from './business-check.ts';
import { CandidateLedger, type CandidateSnapshot } from './candidate-ledger.ts';
import { judgeComparisons, type CheckNumbers } from './checks.ts';
import type { StratumArm } from './figures.ts';
import type { SampleRatio } from './measurement.ts';
import { Newcomers, type NewcomersSnapshot } from './newcomers.ts';
import { alphaOf, comparedCandidates, type Staging } from './staging.ts';
import type { EvidenceScope } from './transition.ts';
import type { Verdict } from './verdict.ts';

/** A part of the guards' prior is kept for harm that begins later; it is spent by the clock, never because of the data. */
const restartEveryMs = 60_000;

/** `index`: of the version in listed order, the baseline's is 0. */
type Compared = { readonly version: string; readonly index: number; readonly ledger: CandidateLedger };

/** The ledger as JSON, for the store. What stands at the top is of the first candidate. */
export type LedgerSnapshot = CandidateSnapshot & {
  /** By version; absent: no other candidate is compared. */
  readonly others?: Readonly<Record<string, CandidateSnapshot>>;
  readonly restartedMs: number;
  readonly newcomers: NewcomersSnapshot;
};

export class Ledger {
  #staging: Staging;
  /** The first candidate stands first. */
  #compared: readonly Compared[];
  #restartedMs: number;
  #newcomers: Newcomers;

  constructor(staging: Staging, nowMs: number, snapshot: LedgerSnapshot | null = null) {
    this.#staging = staging;
    this.#restartedMs = snapshot?.restartedMs ?? nowMs;
    this.#newcomers = new Newcomers(snapshot?.newcomers ?? null);
    this.#compared = comparedIn(staging, (version, isFirst) => {
      const found = isFirst ? snapshot : (snapshot?.others?.[version] ?? null);
      return new CandidateLedger(staging.analysis.checks, found);
    });
  }

  /** Takes another policy: checks that stay as they are keep what they have gathered, others and new candidates begin anew. */
  follow(staging: Staging): void {
    const { checks } = staging.analysis;
    const [first, ...others] = this.#compared;
    this.#staging = staging;
    this.#compared = comparedIn(staging, (version, isFirst) => {
      const known = isFirst ? first : others.find((each) => each.version === version);
      known?.ledger.follow(checks);
      return known?.ledger ?? new CandidateLedger(checks, null);
    });
  }

  /** Adds a closed stratum, by version index. */
  addStratum(arms: readonly StratumArm[], nowMs: number): void {
    if (nowMs - this.#restartedMs >= restartEveryMs) this.#restartGuards(nowMs);
    for (const { index, ledger } of this.#compared) ledger.addStratum(arms[0]!, arms[index]!);
  }

  /** Adds users that the split assigned for the first time; `percents` of all versions in listed order, the baseline first. */
  addUsers(counts: readonly number[], percents: readonly number[]): void {
    this.#newcomers.add(counts, percents);
  }

  /** From now on users count as new who may have been counted before: the two countings are no evidence together. */
  forgetWhoWasNew(): void {
    this.#newcomers.forgetWhoWasNew();
  }

  /** Begins anew what a change of the rollout's state makes obsolete. */
  anew(scope: EvidenceScope, nowMs: number): void {
    if (scope === 'stage') {
      for (const { ledger } of this.#compared) ledger.beginStage();
      this.#restartGuards(nowMs);
      return;
    }
    for (const { ledger } of this.#compared) ledger.anew();
    this.#restartedMs = nowMs;
    if (scope === 'release') this.#newcomers = new Newcomers(null);
  }

  /**
   * What each comparing check says now, candidate by candidate in the order of the policy; `business`: of those that the
   * experiment's figures judge.
   */
  verdicts(business: readonly BusinessNumbers[] = []): Verdict[] {
    const { baseline, analysis } = this.#staging;
    const chances = { alpha: alphaOf(this.#staging), promoteAlpha: analysis.promoteAlpha };
    return this.#compared.flatMap(({ version, ledger }) => {
      const own = business.filter((each) => each.version === version);
      const numbers = analysis.checks.flatMap(({ name }): CheckNumbers[] => {
        const known = ledger.numbers(name);
        return known === null ? own.filter(({ check }) => check.name === name) : [known];
      });
      return judgeComparisons({ versions: { baseline, candidate: version }, analysis: chances }, numbers);
    });
  }

  /** New users beside what the split promises: of the candidate, or of the one among several that is furthest off. */
  sampleRatio(): SampleRatio {
    const { index, ...seen } = this.#newcomers.sampleRatio(this.#compared.map((each) => each.index));
    const { version } = this.#compared.find((each) => each.index === index)!;
    return this.#compared.length === 1 ? seen : { ...seen, version };
  }

  snapshot(): LedgerSnapshot {
    const [first, ...others] = this.#compared;
    const also = Object.fromEntries(others.map(({ version, ledger }) => [version, ledger.snapshot()]));
    return {
      ...first!.ledger.snapshot(),
      ...(others.length === 0 ? {} : { others: also }),
      restartedMs: this.#restartedMs,
      newcomers: this.#newcomers.snapshot(),
    };
  }

  #restartGuards(nowMs: number): void {
    this.#restartedMs = nowMs;
    for (const { ledger } of this.#compared) ledger.restartGuards();
  }
}

function comparedIn(
  staging: Staging,
  ledgerOf: (version: string, isFirst: boolean) => CandidateLedger,
): readonly Compared[] {
  return comparedCandidates(staging).map((version, i) => ({
    version,
    index: staging.candidates.indexOf(version) + 1,
    ledger: ledgerOf(version, i === 0),
  }));
}
