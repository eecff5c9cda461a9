// The small records in SQLite: policies that were in force, used links, kept answers, named values.
// Runs in the store's thread only; what has expired is removed by the next write, at the caller's time.

import type { DatabaseSync } from 'node:sqlite';
import { allRows, inTransaction } from './sqlite-file.ts';
import type { StoredDocument } from './stored-document.ts';

export type PolicyRow = { readonly fingerprint: string; readonly atMs: number; readonly text: string };

export type ResponseWrite = StoredDocument & {
  readonly key: string;
  readonly nowMs: number;
  readonly expiresMs: number;
};

/** The verbs on policies that were in force. */
export function policyTable(database: DatabaseSync) {
  const selectNewest = database.prepare('SELECT fingerprint FROM policy_version ORDER BY seq DESC LIMIT 1');
  const insert = database.prepare('INSERT INTO policy_version (fingerprint, at_ms, text) VALUES (?, ?, ?)');
  const selectPage = database.prepare(
    'SELECT fingerprint, at_ms AS atMs FROM policy_version ORDER BY seq DESC LIMIT ?',
  );
  const selectText = database.prepare(
    'SELECT text FROM policy_version WHERE fingerprint = ? ORDER BY seq DESC LIMIT 1',
  );
  return {
    appendPolicy({ fingerprint, atMs, text }: PolicyRow): void {
      inTransaction(database, () => {
        if (selectNewest.get()?.['fingerprint'] !== fingerprint) insert.run(fingerprint, atMs, text);
      });
    },
    listPolicies: (limit: number): Omit<PolicyRow, 'text'>[] => allRows(selectPage, limit),
    policyText: (fingerprint: string): string | null => allRows<PolicyRow>(selectText, fingerprint)[0]?.text ?? null,
  };
}

/** The verbs on links that may be used once and on answers to actions. */
export function onceTables(database: DatabaseSync) {
  const expireTokens = database.prepare('DELETE FROM used_token WHERE expires_ms <= ?');
  const insertToken = database.prepare('INSERT OR IGNORE INTO used_token (id, expires_ms) VALUES (?, ?)');
  const expireResponses = database.prepare('DELETE FROM response WHERE expires_ms <= ?');
  const insertResponse = database.prepare(
    'INSERT OR IGNORE INTO response (key, expires_ms, format, json) VALUES (?, ?, ?, ?)',
  );
  const selectResponse = database.prepare('SELECT format, json FROM response WHERE key = ? AND expires_ms > ?');
  const findResponse = ({ key, nowMs }: { key: string; nowMs: number }): StoredDocument | null =>
    allRows<StoredDocument>(selectResponse, key, nowMs)[0] ?? null;
  return {
    consumeToken: ({ id, nowMs, expiresMs }: { id: string; nowMs: number; expiresMs: number }): boolean =>
      inTransaction(database, () => {
        expireTokens.run(nowMs);
        return expiresMs > nowMs && insertToken.run(id, expiresMs).changes === 1;
      }),
    findResponse,
    rememberResponse: ({ key, nowMs, expiresMs, format, json }: ResponseWrite): StoredDocument =>
      inTransaction(database, () => {
        expireResponses.run(nowMs);
        insertResponse.run(key, expiresMs, format, json);
        return findResponse({ key, nowMs }) ?? { format, json };
      }),
  };
}

/** The verbs on named values. */
export function valueTable(database: DatabaseSync) {
  const select = database.prepare('SELECT format, json FROM named_value WHERE key = ?');
  const upsert = database.prepare('INSERT OR REPLACE INTO named_value (key, format, json) VALUES (?, ?, ?)');
  const insert = database.prepare('INSERT OR IGNORE INTO named_value (key, format, json) VALUES (?, ?, ?)');
  const remove = database.prepare('DELETE FROM named_value WHERE key = ?');
  const getValue = (key: string): StoredDocument | null => allRows<StoredDocument>(select, key)[0] ?? null;
  return {
    getValue,
    putValue({ key, format, json }: StoredDocument & { key: string }): void {
      upsert.run(key, format, json);
    },
    /** Returns the one that is kept. Where there is one already nothing is written, so a full disk does not matter. */
    putFirstValue({ key, format, json }: StoredDocument & { key: string }): StoredDocument {
      const kept = getValue(key);
      if (kept !== null) return kept;
      insert.run(key, format, json);
      return getValue(key)!;
    },
    removeValue(key: string): void {
      remove.run(key);
    },
  };
}
