// Rollouts as the admin API shows them, for tests of what is made of them.
import type { ShownRollout } from '../../src/admin/contract.ts';

type Version = ShownRollout['versions'][number];
type State = NonNullable<ShownRollout['state']>;

/** A rollout that progresses at 20 %, in its second of three stages. */
export function shownRollout(changes: Partial<ShownRollout> = {}): ShownRollout {
  return {
    name: 'shop',
    release: '2.4.0',
    revision: 7,
    state: shownState(),
    holds: 'held 4 s of 10 s',
    actions: ['promote', 'rollback', 'pause'],
    versions: [
      shownVersion({ name: 'stable', percent: 80 }),
      shownVersion({ name: 'canary', role: 'candidate', percent: 20 }, { errorRatio: 0.049, p95Ms: 41.2 }),
    ],
    checks: [
      {
        name: 'error-rate',
        version: 'canary',
        role: 'guard',
        metric: 'error-rate',
        verdict: {
          check: 'error-rate',
          version: 'canary',
          role: 'guard',
          answer: 'not-enough-data',
          evidence: { kind: 'source', value: 1, breachesInARow: 0, errorsInARow: 0, failures: 1 },
          sentence: 'canary fails 4.9 % of requests, stable 0.1 %; 62 canary requests are not enough',
        },
      },
    ],
    sampleRatio: null,
    candidateHealth: null,
    experiment: null,
    stages: ['small', 'some', 'half'].map((name, i) => {
      return { name, percent: [5, 20, 50][i]!, holdMs: 10_000, minRequests: 100, approve: 'auto' };
    }),
    bake: null,
    ...changes,
  };
}

/** Its state. */
export function shownState(changes: Partial<State> = {}): State {
  return {
    phase: 'progressing',
    candidate: 'canary',
    percent: 20,
    sinceMs: 1_000,
    reason: 'canary goes from 5 % to 20 % (stage some): held 10 s',
    by: 'graygate',
    stage: { index: 1, name: 'some', sinceMs: 61_000, heldMs: 4_000, timedOut: false, needsApproval: false },
    paused: null,
    frozenSinceMs: null,
    rejected: [],
    saved: true,
    ...changes,
  };
}

/** One version with figures of the last minute. */
export function shownVersion(changes: Partial<Version>, recent: Partial<Version['recent']> = {}): Version {
  const figures = { requests: 500, failures: 5, errorRatio: 0.001, requestsPerSecond: 46.53 };
  return {
    name: 'stable',
    role: 'baseline',
    percent: 80,
    servers: [{ origin: 'http://10.0.0.1:3000', weight: 1, up: null, addresses: [] }],
    recent: { ...figures, p50Ms: 21, p95Ms: 38.4, p99Ms: 103, ...recent },
    stage: null,
    ...changes,
  };
}
