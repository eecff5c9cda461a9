// The embedded store: `Store` on SQLite files that threads of their own read and write, two for the experiments and one for the rest.
// Here only documents are packed and verbs passed on; what they mean is in the tables, what fails is in the parts.

import { createHealthRecord, type HealthRecord } from './health-record.ts';
import { createHistoryBuffer, type HistoryBuffer } from './history-buffer.ts';
import {
  sqliteAudit,
  sqliteOutbox,
  sqlitePolicies,
  sqliteResponses,
  sqliteStates,
  sqliteTokens,
  sqliteValues,
} from './sqlite-decisions.ts';
import { sqliteExperiments } from './sqlite-experiments.ts';
import { sqliteHistory, writeSlices } from './sqlite-history.ts';
import type { StoredTypes } from './state-stores.ts';
import type { Store, StoreStatus } from './store.ts';
import { type BackOff, createStorePart, type StorePart } from './store-part.ts';
import { WorkerLink } from './worker-link.ts';
import type { DecisionVerbs, HistoryVerbs } from './worker-verbs.ts';

const MAX_WAITING_COUNT = 1_000;
const usualBackOff: BackOff = { firstMs: 250, maxMs: 5_000 };

export type SqliteStoreOptions = {
  /** The file of states, audit log and the like; figures go to the same name with `.history`, experiments to `.experiments`. Directories are made. */
  readonly path: string;
  /** For `sinceMs` of the health only. */
  readonly nowMs?: () => number;
  /** How long a lock of another process is waited for; default 2 s. */
  readonly busyTimeoutMs?: number;
  /** After how long a silent disk counts as failed; default 10 s. */
  readonly answerWithinMs?: number;
  /** Slices that wait in memory for the disk; default 10,000. */
  readonly historyCapacityCount?: number;
  /** Default 250 ms to 5 s. */
  readonly backOff?: BackOff;
};

type Listener = (status: StoreStatus) => void;

/** Returns at once and opens the files meanwhile: what is asked first waits for that, and is refused when it fails. */
export function openSqliteStore<T extends StoredTypes = StoredTypes>(options: SqliteStoreOptions): Store<T> {
  const listeners = new Set<Listener>();
  const { decisions, history, buffer, status, close } = openParts(options, () => {
    for (const listener of listeners) listener(status());
  });
  const experiments = openExperiments(options);
  return {
    states: sqliteStates<T>(decisions),
    audit: sqliteAudit<T['entry']>(decisions),
    history: sqliteHistory(history, buffer),
    policies: sqlitePolicies(decisions),
    outbox: sqliteOutbox<T['alert']>(decisions),
    tokens: sqliteTokens(decisions),
    responses: sqliteResponses<T['response']>(decisions),
    values: sqliteValues(decisions),
    experiments: experiments.store,
    status,
    onStatusChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await Promise.all([close(), experiments.close()]);
    },
  };
}

/** A thread's file beside the one at `ownUrl`, with its ending: TypeScript in a checkout, JavaScript once built. */
export function workerUrl(ownUrl: string, name = 'worker'): URL {
  return new URL(`./${name}${ownUrl.endsWith('.ts') ? '.ts' : '.js'}`, ownUrl);
}

/** The two files behind the first thread, and what waits for the second. */
function openParts(options: SqliteStoreOptions, onChange: () => void) {
  const { nowMs = Date.now, backOff = usualBackOff } = options;
  const record = (): HealthRecord => createHealthRecord({ firstReason: 'the store is being opened', nowMs, onChange });
  const health = { decisions: record(), history: record() };
  const link = openLink(options);
  const decisions = createStorePart<DecisionVerbs>({ name: 'decisions', link, health: health.decisions, backOff });
  const history: StorePart<HistoryVerbs> = createStorePart<HistoryVerbs>({
    name: 'history',
    link,
    health: health.history,
    backOff,
    onHealed: () => void buffer.flush(),
  });
  const buffer: HistoryBuffer = createHistoryBuffer({
    write: (slices) => writeSlices(history, slices),
    canWrite: () => health.history.current().ok,
    capacityCount: options.historyCapacityCount ?? 10_000,
    batchCount: 500,
    delayMs: 500,
  });
  const status = (): StoreStatus => ({
    ...health.decisions.current(),
    droppedHistoryCount: buffer.droppedCount(),
    history: health.history.current(),
  });
  const close = async (): Promise<void> => {
    await history.opened;
    await buffer.flush();
    for (const part of [decisions, history]) part.stop();
    await link.close();
  };
  return { decisions, history, buffer, status, close };
}

function openExperiments(options: SqliteStoreOptions) {
  const { nowMs = Date.now, backOff = usualBackOff } = options;
  const path = `${options.path}.experiments`;
  const linkTo = (name: string): WorkerLink => openLink({ ...options, path }, workerUrl(import.meta.url, name));
  const [link, reader] = [linkTo('experiment-worker'), linkTo('experiment-reader')];
  return sqliteExperiments({ path, link, reader, nowMs, backOff });
}

function openLink(
  { path, busyTimeoutMs = 2_000, answerWithinMs = 10_000 }: SqliteStoreOptions,
  url = workerUrl(import.meta.url),
): WorkerLink {
  return new WorkerLink({
    url,
    settings: { path, busyTimeoutMs },
    maxWaitingCount: MAX_WAITING_COUNT,
    answerWithinMs,
  });
}
