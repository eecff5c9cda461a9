// An outbox in memory that keeps the contract of the store's, and may fail when a test says so.
import type { AlertMessage, AlertOutbox, DueAlert } from '../../src/controller/alert-lane.ts';

type Kept = { id: string; rollout: string; createdMs: number; dueMs: number; attempt: number; message: AlertMessage };

export type MemoryOutbox = AlertOutbox & {
  readonly kept: Kept[];
  isDown: boolean;
  /** Calls that failed because it was down. */
  refusedCount: number;
  add(rollout: string, alerts: readonly { id: string; message: AlertMessage }[], createdMs: number): void;
};

export function openMemoryOutbox(): MemoryOutbox {
  const kept: Kept[] = [];
  const find = (id: string): number => kept.findIndex((one) => one.id === id);
  const outbox: MemoryOutbox = {
    kept,
    isDown: false,
    refusedCount: 0,
    add(rollout, alerts, createdMs) {
      for (const { id, message } of alerts) {
        if (find(id) === -1) kept.push({ id, rollout, createdMs, dueMs: createdMs, attempt: 0, message });
      }
    },
    async take({ nowMs, leaseMs, limit }) {
      refuseWhenDown();
      const due = kept.filter(({ dueMs }) => dueMs <= nowMs).slice(0, limit);
      return due.map((one): DueAlert => {
        one.dueMs = nowMs + leaseMs;
        one.attempt += 1;
        const { id, rollout, createdMs, attempt, message } = one;
        return { id, rollout, createdMs, attempt, alert: { value: message } };
      });
    },
    async delivered(id) {
      refuseWhenDown();
      if (find(id) !== -1) kept.splice(find(id), 1);
    },
    async failed({ id, nextAttemptMs }) {
      refuseWhenDown();
      if (nextAttemptMs === null) kept.splice(find(id), 1);
      else kept[find(id)]!.dueMs = nextAttemptMs;
    },
  };
  function refuseWhenDown(): void {
    if (!outbox.isDown) return;
    outbox.refusedCount += 1;
    throw new Error('the store cannot be used now');
  }
  return outbox;
}
