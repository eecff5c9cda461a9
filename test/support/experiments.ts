// Events and experiments for tests, each with as little as the test needs to say.
import type { EventRule, Experiment, Metric } from '../../src/rollout/experiment.ts';

/** Any answered request of the rollout, worth nothing. */
export function eventOf(name: string, changes: Partial<EventRule> = {}): EventRule {
  return {
    name,
    fromTraffic: true,
    methods: [],
    paths: [],
    statuses: [{ from: 200, to: 299 }],
    headers: [],
    value: { kind: 'constant', value: 0 },
    ...changes,
  };
}

export const conversionOf = (event: string): Metric => ({
  kind: 'conversion',
  name: 'conversion',
  event,
  of: null,
  windowMs: 86_400_000,
});

/** Compares by the conversion of `event`, with the defaults of the policy file. */
export function experimentOn(event: string, changes: Partial<Experiment> = {}): Experiment {
  return {
    metrics: [conversionOf(event)],
    alpha: 0.05,
    expectedUserCount: null,
    leastMs: 7 * 86_400_000,
    stopWhen: null,
    then: 'report',
    keepMs: 30 * 86_400_000,
    timeZone: 'UTC',
    ...changes,
  };
}
