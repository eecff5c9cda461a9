// How servers are used by a version that says nothing of it: the defaults of the policy file.
import type { Serving } from '../../src/rollout/serving.ts';

export const defaultServing: Serving = {
  balance: 'round-robin',
  health: null,
  eject: { after: 5, withinMs: 10_000, forMs: 30_000, maxPercent: 50 },
  slowStartMs: 0,
  retries: { attempts: 1, on: new Set(['connect', 'reset', '502', '503', '504']), budgetPercent: 20, perTryMs: null },
  limits: { maxRequestCount: Infinity, maxPendingCount: Infinity },
};
