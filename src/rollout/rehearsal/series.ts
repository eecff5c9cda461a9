// Many rehearsals of one scenario as a few numbers: how often it went back, how fast, at what price, beside what must be paid at least.
import { leastRequests } from '../../stats/plan-rollout.ts';
import { rateInterval, type Interval } from '../../stats/rate-interval.ts';
import type { AuditEntry } from '../audit-entry.ts';
import { alphaOf, otherPercentOf, type Staging } from '../staging.ts';
import type { Rehearsed } from './rehearse.ts';
import { type Scenario, subjectOf } from './scenario.ts';

/** Of numbers that differ from run to run; `p95` is not exceeded by 95 % of them. */
export type Spread = { readonly mean: number; readonly median: number; readonly p95: number };

export type StageStay = { readonly name: string; readonly percent: number; readonly ms: Spread };

/** Runs in which a harmed candidate was rolled back; all counts are of that candidate since its harm began. */
export type Stops = {
  readonly afterMs: Spread;
  readonly requests: Spread;
  /** Requests below which no test can find a harm of this size; null where none of the failure rates is harm. */
  readonly leastRequests: number | null;
  readonly excessFailures: Spread;
  readonly disappointedUsers: Spread;
};

export type SeriesSummary = {
  readonly runCount: number;
  readonly promotedCount: number;
  readonly rolledBackCount: number;
  /** Of the share (0–1) that is rolled back, at 95 % and valid at every number of runs. */
  readonly rolledBackInterval: Interval;
  /** Null where no run was promoted. */
  readonly promotedAfterMs: Spread | null;
  /** Stages that were left, in the order in which they came. */
  readonly stays: readonly StageStay[];
  /** Null without harm, or where no run was rolled back after it began. */
  readonly stops: Stops | null;
  readonly flagger: {
    readonly rolledBackCount: number;
    readonly rolledBackAfterMs: Spread | null;
    readonly candidateFailures: Spread;
  };
};

/** What is kept of a run; the rest of it would fill the memory. */
type Kept = Pick<Rehearsed, 'endedMs' | 'candidate' | 'flagger'> & {
  readonly phase: Rehearsed['state']['phase'];
  readonly stays: readonly { readonly name: string; readonly percent: number; readonly ms: number }[];
};

export class Series {
  readonly #staging: Staging;
  readonly #scenario: Scenario;
  readonly #runs: Kept[] = [];

  constructor(staging: Staging, scenario: Scenario) {
    this.#staging = staging;
    this.#scenario = scenario;
  }

  add({ state, endedMs, candidate, flagger, entries }: Rehearsed): void {
    this.#runs.push({ phase: state.phase, endedMs, candidate, flagger, stays: staysIn(entries) });
  }

  /** Of at least one run. */
  summary(): SeriesSummary {
    const runs = this.#runs;
    const promoted = runs.filter(({ phase }) => phase === 'promoted');
    const rolledBack = runs.filter(({ phase }) => phase === 'rolled-back');
    const flagged = runs.flatMap(({ flagger }) => flagger.rolledBackAtMs ?? []);
    return {
      runCount: runs.length,
      promotedCount: promoted.length,
      rolledBackCount: rolledBack.length,
      rolledBackInterval: rateInterval({ hits: rolledBack.length, count: runs.length }, 0.05),
      promotedAfterMs: spreadOf(promoted.map(({ endedMs }) => endedMs)),
      stays: this.#stays(),
      stops: this.#stops(rolledBack),
      flagger: {
        rolledBackCount: flagged.length,
        rolledBackAfterMs: spreadOf(flagged),
        candidateFailures: spreadOf(runs.map(({ flagger }) => flagger.candidateFailures))!,
      },
    };
  }

  #stays(): StageStay[] {
    const byPlace = Map.groupBy(
      this.#runs.flatMap(({ stays }) => stays),
      ({ name, percent }) => `${percent} ${name}`,
    );
    return [...byPlace.values()].map((stays) => {
      const { name, percent } = stays[0]!;
      return { name, percent, ms: spreadOf(stays.map(({ ms }) => ms))! };
    });
  }

  #stops(rolledBack: readonly Kept[]): Stops | null {
    const stopped = rolledBack.flatMap(({ candidate }) =>
      candidate.sinceHarm === null ? [] : [{ ...candidate, sinceHarm: candidate.sinceHarm }],
    );
    const afterMs = spreadOf(stopped.map(({ sinceHarm }) => sinceHarm.forMs));
    if (afterMs === null) return null;
    const least = stopped.flatMap(
      ({ sinceHarm }) => leastRequestsOf(this.#staging, this.#scenario, sinceHarm.percent) ?? [],
    );
    return {
      afterMs,
      requests: spreadOf(stopped.map(({ sinceHarm }) => sinceHarm.requests))!,
      leastRequests: spreadOf(least)?.mean ?? null,
      excessFailures: spreadOf(stopped.map(({ excessFailures }) => excessFailures))!,
      disappointedUsers: spreadOf(stopped.map(({ disappointedUsers }) => disappointedUsers))!,
    };
  }
}

/**
 * Candidate requests that any test needs on average to find the scenario's harm at this percent with the candidate's part of `alpha`
 * (STATISTICS 8); null where its failure rates are no harm to the error guard, or there is none.
 */
export function leastRequestsOf(staging: Staging, scenario: Scenario, percent: number): number | null {
  const bothPercent = 100 - otherPercentOf(staging, subjectOf(scenario, staging));
  const guard = staging.analysis.checks.find((check) => check.metric === 'error-rate' && check.role === 'guard');
  const candidateRate = scenario.harm?.failureRate ?? null;
  if (guard?.metric !== 'error-rate' || candidateRate === null || percent <= 0 || percent >= bothPercent) return null;
  const expectation = { share: percent / bothPercent, candidateRate, baselineRate: scenario.failureRate };
  const { candidate } = leastRequests(guard.tolerate, expectation, alphaOf(staging));
  return Number.isFinite(candidate) ? candidate : null;
}

function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
  return { mean, median: at(0.5), p95: at(0.95) };
}

/** How long each place was kept that a later change left. */
function staysIn(entries: readonly AuditEntry[]): Kept['stays'] {
  const stays: { name: string; percent: number; ms: number }[] = [];
  let sinceMs = entries[0]?.atMs ?? 0;
  for (const { from, to, atMs } of entries.slice(1)) {
    if (from === null || (from.stage === to.stage && from.percent === to.percent && from.name === to.name)) continue;
    if (to.phase !== 'rolled-back') stays.push({ name: from.name, percent: from.percent, ms: atMs - sinceMs });
    sinceMs = atMs;
  }
  return stays;
}
