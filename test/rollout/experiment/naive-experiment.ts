// An experiment as its definition has it: every user looked at, with everything that ever happened at hand. Slow and plain, to hold
// the sums against.
import type { ExperimentFigures, Exposure, Metric } from '../../../src/rollout/experiment.ts';
import { createDayClock } from '../../../src/rollout/experiment/day-clock.ts';
import { hourMs, metrics, ownerOf, versions, type Lives } from './lives.ts';

type Act = { readonly event: string; readonly value: number; readonly atMs: number };
type Phase = { readonly beganMs: number; readonly percents: readonly number[]; readonly overMs: number };
type User = {
  readonly phase: number;
  readonly version: number;
  readonly exposedMs: number;
  readonly overMs: number;
  readonly visits: readonly number[];
  readonly acts: readonly Act[];
};
type Found = Pick<ExperimentFigures, 'leftOut'> & {
  readonly exposed: readonly (readonly number[])[];
  /** By metric name, phase and version: the numbers of the sample, or what can be known of it. */
  readonly samples: Readonly<Record<string, readonly (readonly (readonly number[])[])[]>>;
};

const clock = createDayClock('Asia/Shanghai');

/** What is known long after everything has come in. */
export function naiveFigures(lives: Lives): Found {
  const phases = phasesOf(lives);
  const names = [...new Set(lives.exposures.map(({ exposure }) => exposure.user))];
  const users = names.flatMap((name) => userOf(lives, phases, name) ?? []);
  const crossed = users.filter(({ isCrossed }) => isCrossed);
  const moved = users.filter((one) => !one.isCrossed && isMoved(one, phases));
  const compared = users.filter((one) => !one.isCrossed && !isMoved(one, phases));
  const each = <T>(pick: (phase: number, version: number) => T): T[][] =>
    phases.map((_, phase) => versions.map((_version, version) => pick(phase, version)));
  return {
    exposed: each((phase, version) => among(users, phase, version).length),
    leftOut: { crossed: crossed.length, moved: moved.length },
    samples: Object.fromEntries(
      metrics.map((metric) => [
        metric.name,
        each((phase, version) =>
          total(
            among(compared, phase, version).flatMap((user) => contributionOf(metric, user) ?? []),
            metric,
          ),
        ),
      ]),
    ),
  };
}

function among<U extends User>(all: readonly U[], phase: number, version: number): U[] {
  return all.filter((one) => one.phase === phase && one.version === version);
}

/** Stretches in which users are split; one ends for good when all users are on one version. */
function phasesOf({ splits }: Lives): Phase[] {
  const phases: Phase[] = [];
  for (const [i, { percents, atMs }] of splits.entries()) {
    const isShared = percents.filter((percent) => percent > 0).length > 1;
    const before = phases.at(-1);
    const isSame = before !== undefined && String(before.percents) === String(percents) && before.overMs > atMs;
    if (!isShared || isSame) continue;
    const over = splits.slice(i).find((split) => split.percents.filter((percent) => percent > 0).length < 2);
    phases.push({ beganMs: atMs, percents, overMs: over?.atMs ?? Infinity });
  }
  return phases;
}

function userOf(lives: Lives, phases: readonly Phase[], name: string) {
  const visits = lives.exposures.flatMap(({ exposure }) => (exposure.user === name ? [exposure] : []));
  const phaseAt = (atMs: number): number =>
    phases.findLastIndex((phase) => phase.beganMs <= atMs && atMs < phase.overMs);
  const first = visits.find((visit) => phaseAt(visit.atMs) >= 0);
  if (first === undefined) return null;
  const phase = phaseAt(first.atMs);
  const { overMs } = phases[phase]!;
  const during = visits.filter(({ atMs }) => atMs >= first.atMs && atMs < overMs);
  return {
    phase,
    overMs,
    version: versions.indexOf(first.version),
    exposedMs: first.atMs,
    bucket: first.bucket,
    isCrossed: during.some((visit: Exposure) => visit.version !== first.version),
    visits: during.map(({ atMs }) => atMs),
    acts: lives.events.flatMap(({ event }) => (event.user === name ? [event] : [])),
  };
}

/** Percents of the tests are whole, so that borders are borders of cells. */
function isMoved(
  { phase, version, bucket }: { phase: number; version: number; bucket: number },
  phases: readonly Phase[],
) {
  const { overMs } = phases[phase]!;
  return phases
    .slice(phase + 1)
    .some((later) => later.overMs === overMs && ownerOf(later.percents, bucket) !== version);
}

function contributionOf(metric: Metric, user: User): number[][] | null {
  const { exposedMs, overMs } = user;
  const acts = user.acts.filter(({ atMs }) => atMs >= exposedMs && atMs < overMs);
  const times = (event: string): number[] => acts.filter((act) => act.event === event).map(({ atMs }) => atMs);
  if (metric.kind === 'retention') {
    const day = clock.dayOf(exposedMs) + metric.day;
    if (clock.startOf(day + 1) > overMs) return null;
    return [[1, user.visits.some((atMs) => clock.dayOf(atMs) === day) ? 1 : 0]];
  }
  if (metric.kind === 'conversion') {
    const enteredMs = metric.of === null ? exposedMs : Math.min(...times(metric.of));
    // Cohorts of a quarter of an hour or less end together.
    const widthMs = metric.windowMs >= 4 * hourMs ? hourMs / 6 : 60_000;
    if ((Math.floor(enteredMs / widthMs) + 1) * widthMs + metric.windowMs > overMs || enteredMs === Infinity)
      return null;
    const isHit = times(metric.event).some(
      (atMs) =>
        (metric.of === metric.event ? atMs > enteredMs : atMs >= enteredMs) && atMs < enteredMs + metric.windowMs,
    );
    return [[1, isHit ? 1 : 0]];
  }
  const worth = (all: readonly Act[]): number[] =>
    all
      .filter(({ event }) => event === metric.event)
      .map(({ value }) => (metric.kind === 'events' ? 1 : Math.min(value, metric.cap ?? Infinity)));
  const y = sum(worth(acts));
  if (metric.kind === 'value') {
    const units = worth(acts).length;
    return [[1, y, units, y * y, units * units, y * units]];
  }
  const x = sum(worth(user.acts.filter(({ atMs }) => atMs < exposedMs)));
  return [[1, y, y * y, x, x * x, x * y]];
}

function total(contributions: readonly number[][], { kind }: Metric): number[] {
  const width = kind === 'conversion' || kind === 'retention' ? 2 : 6;
  return Array.from({ length: width }, (_, i) => sum(contributions.map((one) => one[i]!)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
