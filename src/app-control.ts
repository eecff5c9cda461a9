// Composition, second part: fits the controller to the store, the windows, the metrics and the splits. Adapters only.
import type { Logger } from 'pino';
import { openExperiments, type RunningExperiments } from './app-experiments.ts';
import { type KeptStore, type KeptTypes, pilotStoreOf, recall, slicesOf } from './app-keeping.ts';
import { AlertSender } from './controller/alerts.ts';
import { Controller, type ControllerParts } from './controller/controller.ts';
import { LinkSigner } from './controller/link-signer.ts';
import type { Pilot } from './controller/pilot.ts';
import { SourceBoard } from './controller/source-board.ts';
import type { AuditEntry } from './rollout/audit-entry.ts';
import type { CandidateHealth } from './rollout/measurement.ts';
import type { Assignment, Observation } from './rollout/observation.ts';
import type { Policy, Rollout, Version } from './rollout/policy.ts';
import { layOutSplit, type Split } from './rollout/split.ts';
import { openSqliteStore } from './store/sqlite-store.ts';
import type { StoreStatus } from './store/store.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { RolloutStanding } from './telemetry/rollout-gauges.ts';
import { Window } from './telemetry/window.ts';

const rollUpEveryMs = 60_000;
const retryEveryMs = 1_000;

export type ControlInput = {
  readonly policy: Policy;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Brings a split into force. */
  publish(this: void, rollout: Rollout, split: Split): void;
};

/** A policy as it may be shown. */
export type PolicyRecord = { readonly fingerprint: string; readonly loadedMs: number; readonly document: unknown };

export type Control = {
  readonly store: KeptStore;
  readonly experiments: RunningExperiments;
  /** Reads what alerts were sent. */
  readonly links: LinkSigner;
  /** Null until the store has said what it knows. */
  controller(): Controller | null;
  assigned(assignment: Assignment): void;
  observe(observation: Observation): void;
  follow(policy: Policy): void;
  /** Keeps the text of the policy in force, secrets masked, among the versions of the store. */
  recordPolicy(shown: PolicyRecord): void;
  /** Calls back for every change of a rollout; returns the way to stop that. */
  onChange(listener: (rollout: string, entry: AuditEntry) => void): () => void;
  storeStatus(): StoreStatus;
  /** Where each rollout stands, for the metrics. */
  standings(): RolloutStanding[];
  close(): Promise<void>;
};

/** Opens the store and starts the controller; a store that cannot be read is asked again until it can, and traffic goes on. */
export async function openControl(input: ControlInput): Promise<Control> {
  const { logger } = input;
  const shared = createShared(input);
  const { store, windows, sources, sender, experiments, links } = shared;
  let controller: Controller | null = null;
  let isClosed = false;
  const begin = async (): Promise<void> => {
    const remembered = await recall(store);
    await links.settle();
    if (isClosed) return;
    sources.follow(shared.policy.rollouts);
    controller = new Controller(
      shared.policy,
      { ...partsOf(input, shared), remembered: (name) => remembered.get(name) ?? null },
      Date.now(),
    );
    controller.start();
    sender.poke();
  };
  const patience = await beginOrKeepTrying(begin, logger);
  const upkeep = keepUp(shared, logger);
  return {
    store,
    experiments,
    links,
    controller: () => controller,
    assigned: (decision) => windows.get(decision.rollout.name)?.assigned(decision),
    observe(outcome) {
      if (outcome.rollout !== null) windows.get(outcome.rollout.name)?.observe(outcome);
    },
    follow(policy) {
      shared.policy = policy;
      experiments.follow(policy);
      if (controller === null) return publishFixed(policy, input);
      sources.follow(policy.rollouts);
      controller.follow(policy, Date.now());
      for (const name of windows.keys()) if (controller.pilot(name) === undefined) windows.delete(name);
    },
    recordPolicy(shown) {
      shared.shown = shown;
      recordPolicy(shared);
    },
    onChange: (listener) => subscribe(shared.changeListeners, listener),
    storeStatus: () => store.status(),
    standings: () => controller?.pilots().map(standingOf) ?? [],
    async close() {
      isClosed = true;
      clearInterval(patience);
      upkeep.stop();
      sources.close();
      await controller?.close(Date.now());
      await sender.close();
      await experiments.close();
      await store.close();
    },
  };
}

/** What the adapters of the controller share. */
type Shared = {
  policy: Policy;
  /** The policy in force as it may be shown; null before the first one was recorded. */
  shown: PolicyRecord | null;
  readonly store: KeptStore;
  readonly experiments: RunningExperiments;
  readonly windows: Map<string, Window>;
  readonly sources: SourceBoard;
  readonly sender: AlertSender;
  readonly links: LinkSigner;
  readonly changeListeners: Set<ChangeListener>;
};

type ChangeListener = (rollout: string, entry: AuditEntry) => void;

function createShared({ policy, logger, metrics }: ControlInput): Shared {
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

function partsOf({ logger, metrics, publish }: ControlInput, shared: Shared): Omit<ControllerParts, 'remembered'> {
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

/** Runs `begin`, and again every second until it succeeds; returns the timer, to be cleared. */
async function beginOrKeepTrying(begin: () => Promise<void>, logger: Logger): Promise<NodeJS.Timeout | undefined> {
  try {
    await begin();
    return undefined;
  } catch (error) {
    logger.error({ error: messageOf(error) }, 'the store cannot be read; rollouts hold until it can');
  }
  let isTrying = false;
  const timer = setInterval(() => {
    if (isTrying) return;
    isTrying = true;
    begin()
      .then(() => clearInterval(timer), ignore)
      .finally(() => (isTrying = false));
  }, retryEveryMs);
  return timer;
}

/** Rolls figures up, and says when the store fails and heals. */
function keepUp(shared: Shared, logger: Logger): { stop(): void } {
  const { store, links } = shared;
  const stopListening = store.onStatusChange(({ ok, reason }) => {
    if (!ok) return logger.error({ reason }, 'the store is not well; traffic goes on, rollouts hold');
    logger.info('the store is well again');
    void links.settle();
    recordPolicy(shared);
  });
  const rollUp = setInterval(() => void store.history.rollUp({ nowMs: Date.now() }).catch(ignore), rollUpEveryMs);
  return {
    stop() {
      clearInterval(rollUp);
      stopListening();
    },
  };
}

/** Nothing changes when the store has this one as its newest; what cannot be written now is written once the store is well. */
function recordPolicy({ store, shown }: Shared): void {
  if (shown === null) return;
  const { fingerprint, loadedMs, document } = shown;
  store.policies.append({ fingerprint, atMs: loadedMs, text: JSON.stringify(document) }).catch(ignore);
}

/** For what the store says by itself, through its status. */
function ignore(): void {}

/** Until the store has said where rollouts stand, fixed splits are as the file says and staged ones send nobody. */
function publishFixed({ rollouts }: Policy, { publish }: ControlInput): void {
  for (const rollout of rollouts) publish(rollout, layOutSplit(rollout.versions, rollout.split));
}

function standingOf(pilot: Pilot): RolloutStanding {
  const { state, measured } = pilot.view();
  return {
    rollout: pilot.rollout.name,
    phase: state?.phase ?? null,
    stage: state?.stay.stage ?? null,
    verdicts: measured?.verdicts ?? [],
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

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
