// Audit entries and alert targets for tests, with only the parts named that a test is about.
import type { AuditEntry } from '../../src/rollout/audit-entry.ts';
import type { AlertTarget } from '../../src/rollout/policy.ts';
import { measuredAt } from '../support/rollout-machine.ts';

export const atMs = Date.UTC(2026, 10, 22, 12);

/** A rollback of release 2.4.0 from 5 %, as the machine records it. */
export function entryOf(more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    atMs,
    kind: 'rollback',
    by: 'graygate',
    reason: 'canary is rolled back from 5 %: canary fails 4.9 % of requests, stable 0.1 %',
    note: null,
    release: '2.4.0',
    revision: 7,
    from: { phase: 'progressing', stage: 1, name: 'small', percent: 5 },
    to: { phase: 'rolled-back', stage: 1, name: 'small', percent: 0 },
    measured: measuredAt(atMs),
    alert: 'rolled-back',
    ...more,
  };
}

/** A change to `waiting`, the one that can be approved. */
export function waitingEntry(more: Partial<AuditEntry> = {}): AuditEntry {
  const place = { stage: 1, name: 'half', percent: 50 };
  return entryOf({
    kind: 'wait',
    reason: 'canary waits at 50 % for an approval',
    from: { ...place, phase: 'progressing' },
    to: { ...place, phase: 'waiting' },
    alert: 'waiting',
    ...more,
  });
}

/** A JSON target that wants to hear of everything. */
export function targetOf(url: string, more: Partial<AlertTarget> = {}): AlertTarget {
  const on: AlertTarget['on'] = ['rolled-back', 'promoted', 'paused', 'waiting', 'progressing', 'timed-out'];
  return { url, format: 'json', on, secret: null, approveUrl: null, ...more };
}
