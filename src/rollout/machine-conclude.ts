// How an experiment ends: once, when its `stopWhen` has come. It is said, and where `then` asks for it the winner gets everyone.
import type { ExperimentStanding } from './experiment-standing.ts';
import { objection } from './hold-reasons.ts';
import { goForward, rollBack } from './machine-moves.ts';
import type { Tick } from './rollout-event.ts';
import type { WatchedState } from './rollout-state.ts';
import type { Staging } from './staging.ts';
import { change, stayAt } from './transition.ts';
import type { Cause, Transition } from './transition.ts';

/** The name under which an experiment acts. */
const byExperiment = 'experiment';

/** The end of the experiment, when it has come and nothing is in its way; null: the rollout goes on as if there were none. */
export function conclude(policy: Staging, state: WatchedState, tick: Tick): Transition | null {
  const { experiment } = tick.measured;
  const hasCome = experiment?.isOver === true && experiment.release === state.release && state.concluded === undefined;
  if (!hasCome || !tick.storeOk) return null;
  const cause: Cause = { nowMs: tick.nowMs, by: byExperiment, note: null, measured: tick.measured };
  const { winner, sentence, then } = experiment;
  const concluded = { ...state, concluded: { atMs: tick.nowMs, winner, sentence } };
  if (then === 'report' || winner === null) return report(policy, { state, concluded, experiment, cause });
  if (winner === policy.baseline)
    return state.phase === 'paused' ? null : rollBack(policy, concluded, { why: sentence, cause });
  if (state.phase === 'paused' || state.phase === 'waiting' || state.stay.needsApproval) return null;
  const percent = winner === state.candidate ? state.percent : (policy.split[winner] ?? 0);
  const won = { ...concluded, candidate: winner, percent };
  const objected = objection(policy, won, tick);
  if (objected !== null) return stayAt(state, `${winner} has won the experiment, but ${objected}`);
  return goForward(policy, won, { target: { kind: 'promoted' }, why: sentence, cause });
}

function report(
  policy: Staging,
  {
    state,
    concluded,
    experiment,
    cause,
  }: {
    readonly state: WatchedState;
    readonly concluded: WatchedState;
    readonly experiment: ExperimentStanding;
    readonly cause: Cause;
  },
): Transition {
  const end = experiment.winner === null ? 'is over' : 'is decided';
  return change(
    { policy, from: state, to: concluded },
    {
      kind: 'conclude',
      order: 'save-first',
      reason: `the experiment ${end}: ${experiment.sentence}`,
      alert: 'decided',
    },
    cause,
  );
}
