// Decisions and outcomes as the gateway would report them, with only the parts named that a test is about.
import type { Decision } from '../../src/rollout/decide.ts';
import type { Outcome } from '../../src/rollout/outcome.ts';
import type { Rollout } from '../../src/rollout/policy.ts';

/** A decision of the split for a version by its index. */
export function decisionOf(rollout: Rollout, index: number, more: Partial<Decision> = {}): Decision {
  const version = rollout.versions[index]!;
  return { rollout, version, reason: 'split', rule: null, bucket: 17, user: 'u', issueCookie: false, ...more };
}

/** A request of the split that a version answered with 200 in 10 ms. */
export function outcomeOf(rollout: Rollout, index: number, more: Partial<Outcome> = {}): Outcome {
  const version = rollout.versions[index]!;
  return {
    rollout,
    version,
    decided: version,
    reason: 'split',
    rule: null,
    bucket: 17,
    user: 'u',
    server: version.servers[0].origin,
    method: 'GET',
    target: '/',
    ip: '192.0.2.1',
    requestId: 'r',
    status: 200,
    ending: 'complete',
    durationMs: 10,
    requestByteCount: 0,
    responseByteCount: 0,
    faults: [],
    retries: [],
    fallback: null,
    grpcStatus: null,
    ...more,
  };
}
