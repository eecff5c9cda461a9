// States, audit log and outbox in SQLite: what one save writes together, and how it is read back.
// Runs in the store's thread only. Documents are JSON text here; nobody looks into them.

import type { DatabaseSync } from 'node:sqlite';
import { GraygateError } from '../errors.ts';
import { allRows, inTransaction } from './sqlite-file.ts';
import type { StoredDocument } from './stored-document.ts';

export type StateRow = StoredDocument & {
  readonly rollout: string;
  readonly revision: number;
  readonly savedMs: number;
};

export type StateWrite = {
  readonly rollout: string;
  readonly expectedRevision: number;
  readonly atMs: number;
  readonly state: StoredDocument;
  readonly entries: readonly StoredDocument[];
  readonly alerts: readonly (StoredDocument & { readonly id: string; readonly queue: string })[];
};

export type AuditRow = StoredDocument & {
  readonly id: number;
  readonly rollout: string;
  readonly atMs: number;
  readonly revision: number;
};

export type AuditRead = {
  readonly rollout: string;
  readonly sinceMs: number;
  readonly limit: number;
  readonly beforeId: number | null;
};

export type OutboxRow = StoredDocument & {
  readonly seq: number;
  readonly id: string;
  readonly rollout: string;
  readonly createdMs: number;
  readonly attempt: number;
};

export type PostponedAlert = { readonly id: string; readonly nextAttemptMs: number; readonly stepsAside: boolean };

/** The verbs on states and the audit log. */
export function stateTables(database: DatabaseSync) {
  const selectAll = database.prepare(
    'SELECT rollout, revision, saved_ms AS savedMs, format, json FROM rollout_state ORDER BY rollout',
  );
  const selectRevision = database.prepare('SELECT revision FROM rollout_state WHERE rollout = ?');
  const upsertState = database.prepare(
    `INSERT INTO rollout_state (rollout, revision, saved_ms, format, json) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (rollout) DO UPDATE SET
       revision = excluded.revision, saved_ms = excluded.saved_ms, format = excluded.format, json = excluded.json`,
  );
  const insertEntry = database.prepare(
    'INSERT INTO audit (rollout, at_ms, revision, format, json) VALUES (?, ?, ?, ?, ?)',
  );
  const insertAlert = database.prepare(
    `INSERT INTO outbox (id, rollout, queue, created_ms, due_ms, format, json) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO NOTHING`,
  );
  const selectAudit = database.prepare(
    `SELECT id, rollout, at_ms AS atMs, revision, format, json FROM audit
     WHERE rollout = ? AND at_ms >= ? AND (?3 IS NULL OR id < ?3) ORDER BY id DESC LIMIT ?`,
  );
  return {
    loadStates: (): StateRow[] => allRows<StateRow>(selectAll),
    /** Returns the new revision. */
    saveState({ rollout, expectedRevision, atMs, state, entries, alerts }: StateWrite): number {
      return inTransaction(database, () => {
        const found = Number(selectRevision.get(rollout)?.['revision'] ?? 0);
        if (found !== expectedRevision) throw staleWriter(rollout, expectedRevision, found);
        const revision = expectedRevision + 1;
        upsertState.run(rollout, revision, atMs, state.format, state.json);
        for (const entry of entries) insertEntry.run(rollout, atMs, revision, entry.format, entry.json);
        for (const { id, queue, format, json } of alerts) insertAlert.run(id, rollout, queue, atMs, atMs, format, json);
        return revision;
      });
    },
    queryAudit: ({ rollout, sinceMs, limit, beforeId }: AuditRead): AuditRow[] =>
      allRows<AuditRow>(selectAudit, rollout, sinceMs, beforeId, limit).toReversed(),
  };
}

/** The verbs on alerts to be sent. */
export function outboxTable(database: DatabaseSync) {
  const lease = database.prepare(
    `UPDATE outbox SET attempt = attempt + 1, due_ms = ?
     WHERE seq IN (
       SELECT seq FROM outbox AS mine WHERE due_ms <= ? AND NOT EXISTS (
         SELECT 1 FROM outbox AS earlier WHERE earlier.queue = mine.queue AND earlier.seq < mine.seq AND earlier.is_aside = 0
       ) ORDER BY seq LIMIT ?
     )
     RETURNING seq, id, rollout, created_ms AS createdMs, attempt, format, json`,
  );
  const remove = database.prepare('DELETE FROM outbox WHERE id = ?');
  const postpone = database.prepare('UPDATE outbox SET due_ms = ?, is_aside = ? WHERE id = ?');
  return {
    takeAlerts: ({ nowMs, leaseMs, limit }: { nowMs: number; leaseMs: number; limit: number }): OutboxRow[] =>
      // RETURNING promises no order.
      allRows<OutboxRow>(lease, nowMs + leaseMs, nowMs, limit).toSorted((a, b) => a.seq - b.seq),
    removeAlert(id: string): void {
      remove.run(id);
    },
    postponeAlert({ id, nextAttemptMs, stepsAside }: PostponedAlert): void {
      postpone.run(nextAttemptMs, stepsAside ? 1 : 0, id);
    },
  };
}

function staleWriter(rollout: string, expected: number, found: number): GraygateError {
  return new GraygateError(
    'store-conflict',
    `the state of "${rollout}" has changed meanwhile: expected ${revisionName(expected)}, found ${revisionName(found)}`,
  );
}

function revisionName(revision: number): string {
  return revision === 0 ? 'no saved state' : `revision ${revision}`;
}
