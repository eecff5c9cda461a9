// What crosses between the main thread and the store's thread: the verbs of each file, and the messages that carry them.

import type { DatabaseSync } from 'node:sqlite';
import type { historyTable } from './history-table.ts';
import { onceTables, policyTable, valueTable } from './record-tables.ts';
import type { StoreFailure } from './sqlite-failure.ts';
import { outboxTable, stateTables } from './state-tables.ts';

/** All verbs on the file that decides. */
export function decisionVerbs(database: DatabaseSync) {
  return {
    ...stateTables(database),
    ...outboxTable(database),
    ...policyTable(database),
    ...onceTables(database),
    ...valueTable(database),
  };
}

export type DecisionVerbs = ReturnType<typeof decisionVerbs>;
export type HistoryVerbs = ReturnType<typeof historyTable>;

/** The three files, by what they are for. */
export type PartName = 'decisions' | 'history' | 'experiments';

/** A verb of a part with its one argument. `probe` opens and tests the part, `close` ends the thread. */
export type WorkerRequest = {
  readonly id: number;
  readonly part: PartName;
  readonly verb: string;
  readonly input: unknown;
};

export type WorkerReply = {
  readonly id: number;
  readonly result:
    | { readonly ok: true; readonly output: unknown }
    | { readonly ok: false; readonly failure: StoreFailure };
};

export type WorkerSettings = { readonly path: string; readonly busyTimeoutMs: number };
