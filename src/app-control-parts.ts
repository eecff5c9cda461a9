// Composition, seventh part: what the controller is fitted to. Adapters only.
import type { Logger } from 'pino';
import { openExperiments, type RunningExperiments } from './app-experiments.ts';
import { type KeptStore, type KeptTypes, pilotStoreOf, slicesOf } from './app-keeping.ts';
import { ignore, type Kept, messageOf } from './app-upkeep.ts';
import { AlertSender } from './controller/alerts.ts';
import type { ControllerParts } from './controller/controller.ts';
import { LinkSigner } from './controller/link-signer.ts';
import { SourceBoard } from './controller/source-board.ts';
import type { AuditEntry } from './rollout/audit-entry.ts';
import type { CandidateHealth } from './rollout/measurement.ts';
import type { Policy, Rollout, Version } from './rollout/policy.ts';
import type { Split } from './rollout/split.ts';
import { openSqliteStore } from './store/sqlite-store.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { Window } from './telemetry/window.ts';

/** What there is before the store is open. */
export type ControlInput = {
  readonly policy: Policy;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Brings a split into force. */
  publish(this: void, rollout: Rollout, split: Split): void;
};

/** What the adapters of the controller share. */
export type Shared = Kept & {
  policy: Policy;
  readonly experiments: RunningExperiments;
  readonly windows: Map<string, Window>;
  readonly sources: SourceBoard;
  readonly sender: AlertSender;
  readonly changeListeners: Set<ChangeListener>;
};

type ChangeListener = (rollout: string, entry: AuditEntry) => void;

/** Opens the store; nothing is asked of it yet. */
export function createShared({ policy, logger, metrics }: ControlInput): Shared {
  const store: KeptStore = openSqliteStore<KeptTypes>({ path: policy.store.path });
  const links = new LinkSigner(store.values);
  const shared: Shared = {
    policy,
    shown: null,
    store,
    experiments: openExperiments({ store, metrics, logger }),
    windows: new Map(),
    sources: new SourceBoard(),
    sender: new AlertSender(store.outbox, {
      targets: () => shared.policy.alerts,
      signLink: (link) => links.sign(link),
      logger,
    }),
    links,
    changeListeners: new Set(),
  };
  shared.experiments.follow(policy);
  return shared;
}

/** What the controller needs, from what there is. */
export function controllerPartsOf(
  { logger, metrics, publish }: ControlInput,
  shared: Shared,
): Omit<ControllerParts, 'remembered'> {
  const { store, windows, sources, sender, experiments, changeListeners } = shared;
  return {
    store: pilotStoreOf(store, () => shared.policy.alerts),
    nowMs: Date.now,
    openWindow(rollout, riskSet) {
      const window = new Window(rollout, Date.now(), riskSet);
      windows.set(rollout.name, window);
      return window;
    },
    publish(rollout, split) {
      publish(rollout, split);
      experiments.published(rollout, split);
    },
    health(rollout, name, nowMs) {
      const version = rollout.versions.find((each) => each.name === name)!;
      return healthOf(metrics.probe(rollout.name, name), version, nowMs);
    },
    sourceVerdicts: ({ name }) => sources.verdicts(name),
    sourcesAnew: ({ name }) => sources.anew(name),
    experimentSight: ({ name }) => experiments.sight(name),
    announced({ name }, entry) {
      const { kind, by, reason, release, revision, to } = entry;
      const level = to.phase === 'rolled-back' || to.phase === 'paused' ? 'warn' : 'info';
      logger[level]({ rollout: name, release, revision, change: kind, by, ...to }, reason);
      for (const listener of changeListeners) listener(name, entry);
    },
    alerted: () => sender.poke(),
    saveFailed: ({ name }, error) =>
      logger.error({ rollout: name, error: messageOf(error) }, 'the rollout could not be saved'),
    recorded(pilot, figures, startMs) {
      store.history.append(slicesOf(pilot, figures, startMs)).catch(ignore);
    },
    tickFailed: ({ name }, error) => logger.error({ rollout: name, err: error }, 'a tick failed'),
  };
}

function healthOf({ pulse }: ReturnType<Metrics['probe']>, { timeouts }: Version, nowMs: number): CandidateHealth {
  const { refusedSinceMs, lastRefusedMs, unansweredSinceMs } = pulse;
  // One refusal and then nobody who asks is not "refused for five seconds": only the time between refusals counts.
  if (refusedSinceMs !== null) return { kind: 'refused', sinceMs: nowMs - (lastRefusedMs - refusedSinceMs) };
  const timeoutMs = timeouts.responseMs;
  if (unansweredSinceMs === null || nowMs - unansweredSinceMs < timeoutMs) return { kind: 'up' };
  return { kind: 'stalled', sinceMs: unansweredSinceMs, timeoutMs };
}
