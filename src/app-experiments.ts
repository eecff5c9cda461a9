// Composition, sixth part: fits the experiments to the store, the metrics and the controller. Adapters only.
import type { Logger } from 'pino';
import type { KeptStore } from './app-keeping.ts';
import { ExperimentBoard } from './controller/experiment-board.ts';
import { Experiments } from './controller/experiments.ts';
import type { BusinessSight } from './rollout/business-ledger.ts';
import type { Policy, Rollout } from './rollout/policy.ts';
import type { Split } from './rollout/split.ts';
import type { Metrics } from './telemetry/metrics.ts';

export type ExperimentsInput = { readonly store: KeptStore; readonly metrics: Metrics; readonly logger: Logger };

export type RunningExperiments = {
  readonly desk: Experiments;
  /** Before the data plane adopts the policy. */
  follow(policy: Policy): void;
  /** After the split is in force. */
  published(rollout: Rollout, split: Split): void;
  /** What the controller may know of an experiment. */
  sight(rollout: string): BusinessSight | null;
  close(): Promise<void>;
};

/** Takes in what users do. The store is the caller's to close, afterwards. */
export function openExperiments({ store, metrics, logger }: ExperimentsInput): RunningExperiments {
  const desk = new Experiments({
    store: store.experiments,
    nowMs: Date.now,
    counted: (events) => metrics.events.counted(events),
    dropped: (count) => metrics.events.dropped(count),
    troubled(reason) {
      if (reason === null) logger.info('experiments are written again');
      else logger.error({ reason }, 'experiments cannot be written; traffic and rollouts go on');
    },
  });
  const board = new ExperimentBoard({
    figures: (rollout, release) => desk.figures(rollout, release),
    nowMs: Date.now,
  });
  return {
    desk,
    follow(policy) {
      desk.follow(policy);
      board.follow(policy.rollouts);
    },
    published({ name, staging }, { percents }) {
      desk.splitChanged({ rollout: name, release: staging.release, percents, atMs: Date.now() });
    },
    sight: (rollout) => board.sight(rollout),
    async close() {
      board.close();
      await desk.close();
    },
  };
}
