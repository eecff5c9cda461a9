// Every verb with what it does, and how to get it: a verb is loaded when it is run, so that none waits for what others need.
import type { Command } from 'commander';
import type { ActionKind } from '../rollout/rollout-event.ts';
import type { CommandContext } from './command-context.ts';

export type Verb = {
  /** The verb in one phrase, for the lists of verbs and for its own help. */
  readonly does: string;
  readonly load: () => Promise<(context: CommandContext) => Command>;
};

/** By name, in the order of the help. */
export const verbs: Readonly<Record<string, Verb>> = {
  serve: { does: 'run the gateway', load: async () => (await import('./serve.ts')).serveVerb },
  demo: {
    does: 'run the gateway with two small shops and generated customers',
    load: async () => (await import('./demo.ts')).demoVerb,
  },
  validate: {
    does: 'check a policy and print everything that is wrong with it',
    load: async () => (await import('./validate.ts')).validateVerb,
  },
  explain: {
    does: 'say which version a request would get, and why, step by step',
    load: async () => (await import('./explain.ts')).explainVerb,
  },
  plan: {
    does: 'say how long the stages of a rollout take, and how fast a bad release is stopped',
    load: async () => (await import('./plan.ts')).planVerb,
  },
  rehearse: {
    does: 'run a rollout in simulated time against a simulated new version',
    load: async () => (await import('./rehearse.ts')).rehearseVerb,
  },
  simulate: {
    does: 'say who goes where at each stage, and whom another policy would move',
    load: async () => (await import('./simulate.ts')).simulateVerb,
  },
  status: {
    does: 'show where rollouts stand and why they do not move',
    load: async () => (await import('./status.ts')).statusVerb,
  },
  experiment: {
    does: 'show which version is better in what the business counts',
    load: async () => (await import('./experiment.ts')).experimentVerb,
  },
  ...actionsThat({
    promote: 'give every user the new version now',
    rollback: 'give every user the old version now',
    pause: 'let nothing go forward; a guard that fails still rolls back',
    resume: 'let a paused rollout go on',
    advance: 'go to the next stage now',
    'step-back': 'go back to the stage before',
    approve: 'let a rollout that waits for a person go on',
    retry: 'try a release again that was rolled back',
  }),
};

function actionsThat(does: Record<ActionKind, string>): Record<string, Verb> {
  const actions = Object.entries(does) as [ActionKind, string][];
  return Object.fromEntries(
    actions.map(([action, phrase]) => [
      action,
      { does: phrase, load: async () => (await import('./actions.ts')).actionVerb(action) },
    ]),
  );
}
