// Builders for plans and rehearsals: a service of 200 requests a second of which 0.1 % fail, and a policy for it.
import type { Scenario } from '../../src/rollout/rehearsal/scenario.ts';
import { randomFrom } from '../../src/rollout/rehearsal/random.ts';
import { rehearse, type Rehearsed } from '../../src/rollout/rehearsal/rehearse.ts';
import { type Check, defaultAnalysis, type Stage, type Staging } from '../../src/rollout/staging.ts';
import { RiskSet } from '../../src/telemetry/risk-set.ts';
import { stageOf, stagingOf } from './rollout-machine.ts';

export function scenarioOf(more: Partial<Scenario> = {}): Scenario {
  return {
    requestsPerSecond: 200,
    userCount: 100_000,
    ruleRequestsPerSecond: 1,
    failureRate: 0.001,
    latency: { medianMs: 60, spread: 0.6 },
    harm: null,
    outage: null,
    brokenUser: null,
    ...more,
  };
}

/** A candidate that fails this share of its requests. */
export function failing(failureRate: number, fromMs = 0): Partial<Scenario> {
  return { harm: { failureRate, latencyFactor: 1, fromMs } };
}

/** 1, 5, 25, 50 and 100 %, each for a minute at least, without a bake, with both default checks. */
export function climbing(more: Partial<Staging> = {}): Staging {
  const stages = [1, 5, 25, 50, 100].map((percent) => stageOf(percent, { holdMs: percent < 100 ? 60_000 : 0 }));
  return stagingOf({ stages, bake: null, analysis: defaultAnalysis, ...more });
}

/** Only errors count, and any difference does. */
export function strict(stages: readonly Stage[]): Staging {
  const errors: Check = {
    name: 'error-rate',
    role: 'guard',
    metric: 'error-rate',
    tolerate: { ratio: 1, plus: 0 },
    prove: { ratio: 1.5, plus: 0.001 },
  };
  return climbing({ stages, analysis: { ...defaultAnalysis, checks: [errors] } });
}

/** Rehearses once, to the end. */
export function rehearsed(
  staging: Staging,
  scenario: Scenario,
  { seed = 1, limitMs = 24 * 3_600_000 } = {},
): Rehearsed {
  const course = rehearse({ staging, scenario, limitMs }, { random: randomFrom(seed), riskRule: new RiskSet() });
  for (;;) {
    const step = course.next();
    if (step.done === true) return step.value;
  }
}
