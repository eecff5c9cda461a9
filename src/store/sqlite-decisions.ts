// The verbs of `Store` that decide, on the part of the embedded store that keeps them: documents are packed, nothing else.

import type { IdempotentResponses, NamedValues, PolicyVersions, SingleUseTokens } from './record-stores.ts';
import type { AlertOutbox, AuditLog, StateStore, StoredTypes } from './state-stores.ts';
import { packDocument, unpackDocument } from './stored-document.ts';
import type { StorePart } from './store-part.ts';
import type { DecisionVerbs } from './worker-verbs.ts';

type Decisions = StorePart<DecisionVerbs>;

/** States of rollouts. */
export function sqliteStates<T extends StoredTypes>(part: Decisions): StateStore<T> {
  return {
    async loadAll() {
      const rows = await part.call('loadStates');
      return rows.map(({ rollout, revision, savedMs, ...document }) => ({
        rollout,
        revision,
        savedMs,
        state: unpackDocument<T['state']>(document),
      }));
    },
    async save({ rollout, expectedRevision, atMs, state, entries, alerts }) {
      const revision = await part.call('saveState', {
        rollout,
        expectedRevision,
        atMs,
        state: packDocument(state),
        entries: entries.map((entry) => packDocument(entry)),
        alerts: alerts.map(({ id, queue, alert }) => ({ id, queue, ...packDocument(alert) })),
      });
      return { revision };
    },
  };
}

/** The audit log. */
export function sqliteAudit<Entry>(part: Decisions): AuditLog<Entry> {
  return {
    async query({ rollout, sinceMs, limit, beforeId = null }) {
      const rows = await part.call('queryAudit', { rollout, sinceMs, limit, beforeId });
      return rows.map(({ id, rollout: name, atMs, revision, ...document }) => ({
        id,
        rollout: name,
        atMs,
        revision,
        entry: unpackDocument<Entry>(document),
      }));
    },
  };
}

/** Alerts to be sent. */
export function sqliteOutbox<Alert>(part: Decisions): AlertOutbox<Alert> {
  return {
    async take(due) {
      const rows = await part.call('takeAlerts', due);
      return rows.map(({ id, rollout, createdMs, attempt, format, json }) => ({
        id,
        rollout,
        createdMs,
        attempt,
        alert: unpackDocument<Alert>({ format, json }),
      }));
    },
    delivered: (id) => part.call('removeAlert', id),
    failed: ({ id, nextAttemptMs, stepsAside }) =>
      nextAttemptMs === null
        ? part.call('removeAlert', id)
        : part.call('postponeAlert', { id, nextAttemptMs, stepsAside }),
  };
}

/** Policies that were in force. */
export function sqlitePolicies(part: Decisions): PolicyVersions {
  return {
    append: (version) => part.call('appendPolicy', version),
    list: ({ limit }) => part.call('listPolicies', limit),
    text: (fingerprint) => part.call('policyText', fingerprint),
  };
}

/** Links that may be used once. */
export function sqliteTokens(part: Decisions): SingleUseTokens {
  return { consume: (token) => part.call('consumeToken', token) };
}

/** Answers to actions. */
export function sqliteResponses<Response>(part: Decisions): IdempotentResponses<Response> {
  return {
    async find(key) {
      const row = await part.call('findResponse', key);
      return row === null ? null : unpackDocument<Response>(row);
    },
    async remember({ response, ...kept }) {
      return unpackDocument<Response>(await part.call('rememberResponse', { ...kept, ...packDocument(response) }));
    },
  };
}

/** Single documents by name. */
export function sqliteValues(part: Decisions): NamedValues {
  return {
    async get(key) {
      const row = await part.call('getValue', key);
      return row === null ? null : unpackDocument(row);
    },
    put: (key, document) => part.call('putValue', { key, ...packDocument(document) }),
    putFirst: async (key, document) =>
      unpackDocument(await part.call('putFirstValue', { key, ...packDocument(document) })),
    remove: (key) => part.call('removeValue', key),
  };
}
