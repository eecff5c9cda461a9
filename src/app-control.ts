// Composition, second part: fits the controller to the store, the windows, the metrics and the splits. Adapters only.
import type { Logger } from 'pino';
import { type AlertMessage, AlertSender, messagesFor } from './controller/alerts.ts';
import { Controller, type ControllerParts } from './controller/controller.ts';
import type { Remembered } from './controller/pilot-parts.ts';
import type { Pilot } from './controller/pilot.ts';
import type { Progress } from './controller/progress.ts';
import { Sources } from './controller/sources.ts';
import type { AuditEntry } from './rollout/audit-entry.ts';
import type { Decision } from './rollout/decide.ts';
import { totalOf, type Figures } from './rollout/figures.ts';
import type { CandidateHealth } from './rollout/measurement.ts';
import type { Outcome } from './rollout/outcome.ts';
import type { Policy, Rollout } from './rollout/policy.ts';
import type { RolloutState } from './rollout/rollout-state.ts';
import { layOutSplit, type SplitCells } from './rollout/split.ts';
import { packHistogram } from './stats/log-histogram.ts';
import { openSqliteStore } from './store/sqlite-store.ts';
import type { HistorySlice, Store, StoreStatus } from './store/store.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { RolloutStanding } from './telemetry/rollout-gauges.ts';
import { Window } from './telemetry/window.ts';

export type KeptTypes = { state: RolloutState; entry: AuditEntry; alert: AlertMessage; response: unknown };
export type KeptStore = Store<KeptTypes>;

/** Of the documents that this release writes; a later one raises it and reads both. */
const documentFormat = 1;
const rollUpEveryMs = 60_000;
const reloadEveryMs = 1_000;

export type ControlInput = {
  readonly policy: Policy;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly cells: SplitCells;
};

export type Control = {
  readonly store: KeptStore;
  /** Null until the store has said what it knows. */
  controller(): Controller | null;
  assigned(decision: Decision): void;
  observe(outcome: Outcome): void;
  follow(policy: Policy): void;
  /** Calls back for every change of a rollout; returns the way to stop that. */
  onChange(listener: (rollout: string, entry: AuditEntry) => void): () => void;
  /** Calls back each second for each rollout that had requests; returns the way to stop that. */
  onFigures(listener: (rollout: string, atMs: number) => void): () => void;
  storeStatus(): StoreStatus;
  /** Where each rollout stands, for the metrics. */
  standings(): RolloutStanding[];
  close(): Promise<void>;
};

/** Opens the store and starts the controller; a store that cannot be read is asked again until it can, and traffic goes on. */
export async function openControl(input: ControlInput): Promise<Control> {
  const { logger, metrics, cells } = input;
  let { policy } = input;
  const store: KeptStore = openSqliteStore<KeptTypes>({ path: policy.store.path });
  const windows = new Map<string, Window>();
  const sources = new Map<string, Sources>();
  const changeListeners = new Set<(rollout: string, entry: AuditEntry) => void>();
  const figureListeners = new Set<(rollout: string, atMs: number) => void>();
  const sender = new AlertSender(store.outbox, { targets: () => policy.alerts, logger });
  let remembered = new Map<string, Remembered>();
  let controller: Controller | null = null;

  const parts: ControllerParts = {
    store: {
      isWell: () => store.status().ok,
      async save({ rollout, revision, atMs, state, entries }) {
        const alerts = entries.flatMap((entry) => messagesFor(policy.alerts, rollout, entry));
        const saved = await store.states.save({
          rollout,
          expectedRevision: revision,
          atMs,
          state: pack(state),
          entries: entries.map(pack),
          alerts: alerts.map(({ id, message }) => ({ id, alert: pack(message) })),
        });
        return saved.revision;
      },
      async saved(name) {
        const found = (await store.states.loadAll()).find(({ rollout }) => rollout === name);
        return found === undefined ? null : { revision: found.revision, state: found.state.value };
      },
      saveProgress: (rollout, progress) => store.values.put(progressKey(rollout), pack(progress)),
    },
    nowMs: Date.now,
    openWindow(rollout, riskSet) {
      const window = new Window(rollout, Date.now(), riskSet);
      windows.set(rollout.name, window);
      return window;
    },
    publish: (rollout, split) => void (cells.of(rollout).current = split),
    health: (rollout, nowMs) => healthOf(metrics, rollout, nowMs),
    sourceVerdicts: (rollout) => sources.get(rollout.name)?.verdicts() ?? [],
    sourcesAnew: (rollout) => sources.get(rollout.name)?.anew(),
    announced(rollout, entry) {
      const { kind, by, reason, release, revision, to } = entry;
      const level = entry.to.phase === 'rolled-back' || entry.to.phase === 'paused' ? 'warn' : 'info';
      logger[level]({ rollout: rollout.name, release, revision, change: kind, by, ...to }, reason);
      for (const listener of changeListeners) listener(rollout.name, entry);
    },
    alerted: () => sender.poke(),
    saveFailed: (rollout, error) =>
      logger.error({ rollout: rollout.name, error: messageOf(error) }, 'the rollout could not be saved'),
    remembered: (rollout) => remembered.get(rollout) ?? null,
    recorded(pilot, figures, startMs) {
      void store.history.append(slicesOf(pilot, figures, startMs)).catch(() => undefined);
      for (const listener of figureListeners) listener(pilot.rollout.name, startMs);
    },
    tickFailed: (rollout, error) => logger.error({ rollout: rollout.name, err: error }, 'a tick failed'),
  };

  const followSources = (): void => {
    for (const { name, staging } of policy.rollouts) {
      let asked = sources.get(name);
      if (asked === undefined) sources.set(name, (asked = new Sources(name)));
      asked.follow(staging);
    }
    for (const [name, asked] of sources) {
      if (policy.rollouts.some((rollout) => rollout.name === name)) continue;
      asked.close();
      sources.delete(name);
      windows.delete(name);
    }
  };
  const begin = async (): Promise<void> => {
    remembered = await recall(store);
    followSources();
    controller = new Controller(policy, parts, Date.now());
    controller.start();
    sender.poke();
  };
  const beginOrWait = async (): Promise<NodeJS.Timeout | undefined> => {
    try {
      await begin();
      return undefined;
    } catch (error) {
      logger.error({ error: messageOf(error) }, 'the store cannot be read; rollouts hold until it can');
      return setInterval(() => {
        begin()
          .then(() => clearInterval(waiting))
          .catch(() => undefined);
      }, reloadEveryMs);
    }
  };
  const waiting = await beginOrWait();
  const stopListening = store.onStatusChange(({ ok, reason }) => {
    if (ok) logger.info('the store is well again');
    else logger.error({ reason }, 'the store is not well; traffic goes on, rollouts hold');
  });
  const rollUp = setInterval(
    () => void store.history.rollUp({ nowMs: Date.now() }).catch(() => undefined),
    rollUpEveryMs,
  );

  return {
    store,
    controller: () => controller,
    assigned: (decision) => windows.get(decision.rollout.name)?.assigned(decision),
    observe(outcome) {
      if (outcome.rollout !== null) windows.get(outcome.rollout.name)?.observe(outcome);
    },
    follow(next) {
      policy = next;
      if (controller === null) return publishFixed(next, cells);
      followSources();
      controller.follow(next, Date.now());
    },
    onChange: (listener) => subscribe(changeListeners, listener),
    onFigures: (listener) => subscribe(figureListeners, listener),
    storeStatus: () => store.status(),
    standings: () => controller?.pilots().map(standingOf) ?? [],
    async close() {
      clearInterval(waiting);
      clearInterval(rollUp);
      stopListening();
      for (const asked of sources.values()) asked.close();
      await controller?.close(Date.now());
      await sender.close();
      await store.close();
    },
  };
}

/** Until the store has said where rollouts stand, fixed splits are as the file says and staged ones send nobody. */
function publishFixed(policy: Policy, cells: SplitCells): void {
  for (const rollout of policy.rollouts) cells.of(rollout).current = layOutSplit(rollout.versions, rollout.split);
}

function standingOf(pilot: Pilot): RolloutStanding {
  const { state, measured } = pilot.view();
  return {
    rollout: pilot.rollout.name,
    candidate: pilot.rollout.versions[1]!.name,
    phase: state?.phase ?? null,
    stage: state?.stay.stage ?? null,
    verdicts: measured?.verdicts ?? [],
  };
}

function pack<T>(value: T): { format: number; value: T } {
  return { format: documentFormat, value };
}

function progressKey(rollout: string): string {
  return `progress/${rollout}`;
}

/** What the store knows of every rollout; progress of another release than the state's is of no use. */
async function recall(store: KeptStore): Promise<Map<string, Remembered>> {
  const states = await store.states.loadAll();
  const recalled = states.map(async ({ rollout, revision, savedMs, state }): Promise<[string, Remembered]> => {
    const document = await store.values.get(progressKey(rollout));
    const progress = document === null ? null : (document.value as Progress);
    const fits = progress !== null && progress.release === state.value.release;
    return [rollout, { revision, savedMs, state: state.value, progress: fits ? progress : null }];
  });
  return new Map(await Promise.all(recalled));
}

function healthOf(metrics: Metrics, { name, versions }: Rollout, nowMs: number): CandidateHealth {
  const candidate = versions[1]!;
  const { refusedSinceMs, unansweredSinceMs } = metrics.probe(name, candidate.name).pulse;
  if (refusedSinceMs !== null) return { kind: 'refused', sinceMs: refusedSinceMs };
  const timeoutMs = candidate.timeouts.responseMs;
  if (unansweredSinceMs === null || nowMs - unansweredSinceMs < timeoutMs) return { kind: 'up' };
  return { kind: 'stalled', sinceMs: unansweredSinceMs, timeoutMs };
}

/** A second of each version, with what was in force at its end. */
function slicesOf(pilot: Pilot, figures: readonly Figures[], startMs: number): HistorySlice[] {
  const { rollout } = pilot;
  const { split, measured } = pilot.view();
  return figures.map((each, index) => {
    const { requests, failures } = totalOf(each);
    const { firstIndex, counts } = packHistogram(each.latencies);
    const latencies = Object.fromEntries(
      counts.flatMap((count, i) => (count === 0 ? [] : [[String(firstIndex + i), count]])),
    );
    const harm = (measured?.verdicts ?? []).flatMap(({ check, evidence }) =>
      index === 1 && 'logHarm' in evidence ? [[`harm:${check}`, evidence.logHarm]] : [],
    );
    return {
      rollout: rollout.name,
      version: rollout.versions[index]!.name,
      startMs,
      sums: { requests, failures, users: each.newUserCount, latencies },
      lasts: { percent: split.percents[index]!, ...Object.fromEntries(harm) },
    };
  });
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
