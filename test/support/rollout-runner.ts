// A runner of the machine's effects in memory, as the controller runs them, with a store that may fail; and random lives to run through it.
import * as fc from 'fast-check';
import { transition } from '../../src/rollout/machine.ts';
import { actionKinds } from '../../src/rollout/rollout-event.ts';
import type { ActionKind, RolloutEvent } from '../../src/rollout/rollout-event.ts';
import type { RolloutState } from '../../src/rollout/rollout-state.ts';
import type { Staging } from '../../src/rollout/staging.ts';
import type { Effect, PublishEffect, Transition } from '../../src/rollout/transition.ts';
import {
  actionAt,
  comparison,
  fixedOf,
  measuredAt,
  minuteMs,
  skewedRatio,
  source,
  stageOf,
  stagingOf,
  tickAt,
} from './rollout-machine.ts';
import type { Seen } from './rollout-machine.ts';

export type Gateway = {
  readonly state: RolloutState | null;
  /** What the store holds. */
  readonly saved: RolloutState | null;
  readonly published: PublishEffect | null;
};

/** One step of a life: an event under a policy, with a store that takes a save or does not. */
export type Moment = { readonly policy: Staging; readonly event: RolloutEvent; readonly storeOk: boolean };

export type Step = {
  readonly before: Gateway;
  readonly moment: Moment;
  readonly result: Transition;
  readonly after: Gateway;
};

/** Runs one moment by the rules that stand at `Effects`. */
export function run(before: Gateway, { policy, event, storeOk }: Moment): Step {
  const result = transition(policy, before.state, event);
  const moment = { policy, event, storeOk };
  if (!result.ok) return { before, moment, result, after: before };
  const { order, steps } = result.effects;
  const isAtOnce = order === 'publish-first' || !steps.some(isSave);
  let [state, saved, published] = [isAtOnce ? result.state : before.state, before.saved, before.published];
  for (const step of steps) {
    if (step.do === 'publish') published = step;
    if (step.do !== 'save') continue;
    if (storeOk) {
      state = saved = step.state;
      continue;
    }
    ({ state } = transition(policy, state, { kind: 'save-failed', order, save: step }));
    if (order === 'save-first') break;
  }
  return { before, moment, result, after: { state, saved, published } };
}

/** Every step of a life that begins with nothing. */
export function live(moments: readonly Moment[]): Step[] {
  let gateway: Gateway = { state: null, saved: null, published: null };
  return moments.map((moment) => {
    const step = run(gateway, moment);
    gateway = step.after;
    return step;
  });
}

/** Random lives: mostly healthy ticks, now and then a failure, a person, an edit or a restart. */
export function lives(): fc.Arbitrary<Moment[]> {
  return fc
    .array(fc.tuple(moment(), fc.integer({ min: 1, max: 40 * minuteMs })), { minLength: 1, maxLength: 60, size: 'max' })
    .map((steps) => {
      let [nowMs, policy] = [0, policies[0]!];
      return steps.map(([next, passedMs]) => {
        nowMs += passedMs;
        policy = next.edit === null ? policy : policies[next.edit]!;
        return { policy, storeOk: next.storeOk, event: eventOf(next, nowMs) };
      });
    });
}

/** What a policy file may turn into while a rollout runs. */
export const policies: readonly Staging[] = [
  stagingOf({}, { maxHoldMs: 30 * minuteMs }),
  stagingOf(
    { stages: [stageOf(0), stageOf(2), stageOf(10, { approve: 'manual' }), stageOf(60)] },
    { onFail: 'step-back', onTimeout: 'advance' },
  ),
  stagingOf(
    { bake: null, stages: [stageOf(5), stageOf(5, { name: 'again' }), stageOf(50)] },
    { onFail: 'pause', advance: 'time', onSourceError: 'rollback' },
  ),
  stagingOf({ release: 'r2' }, { onTimeout: 'rollback', onNoTraffic: 'rollback', maxHoldMs: 60 * minuteMs }),
  stagingOf({ release: 'r2', candidates: ['green', 'canary'] }),
  fixedOf({ canary: 20 }),
];

type Draw = { kind: string; edit: number | null; storeOk: boolean; seen: string; action: ActionKind; sees: boolean };

const moment = (): fc.Arbitrary<Draw> =>
  fc.record({
    kind: oneOf({ tick: 12, action: 2, 'policy-changed': 1, restored: 1 }),
    edit: fc.oneof(
      { arbitrary: fc.constant(null), weight: 20 },
      { arbitrary: fc.nat({ max: policies.length - 1 }), weight: 1 },
    ),
    storeOk: oneOf({ yes: 6, no: 1 }).map((answer) => answer === 'yes'),
    seen: oneOf({ healthy: 16, ...Object.fromEntries(Object.keys(sights).map((name) => [name, 1])), slow: 4 }),
    action: fc.constantFrom(...actionKinds),
    sees: fc.boolean(),
  });

const sights: Readonly<Record<string, Seen>> = {
  failing: { verdicts: [comparison('fail')] },
  signal: { verdicts: [comparison('pass'), comparison('fail', { role: 'signal', check: 'value' })] },
  uneasy: { verdicts: [comparison('not-enough-data', { logHarm: 3 })] },
  slow: { verdicts: [comparison('not-enough-data')] },
  outage: { verdicts: [comparison('pass'), source('error')] },
  skewed: { sampleRatio: skewedRatio },
  silent: { figures: { lastCandidateRequestMs: null, candidate: { requests: 0, failures: 0 } } },
  down: { candidate: { kind: 'refused', sinceMs: 0 } },
};

function oneOf(weights: Readonly<Record<string, number>>): fc.Arbitrary<string> {
  return fc.oneof(...Object.entries(weights).map(([value, weight]) => ({ arbitrary: fc.constant(value), weight })));
}

function eventOf({ kind, storeOk, seen, action, sees }: Draw, nowMs: number): RolloutEvent {
  const sight = sights[seen] ?? {};
  if (kind === 'tick') return tickAt(nowMs, { ...sight, storeOk });
  if (kind === 'action') return actionAt(nowMs, action, { measured: sees ? measuredAt(nowMs, sight) : null });
  return kind === 'restored' ? { kind, nowMs, lastTickMs: nowMs - minuteMs } : { kind: 'policy-changed', nowMs };
}

function isSave({ do: verb }: Effect): boolean {
  return verb === 'save';
}
