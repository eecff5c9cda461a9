// An outbox in memory that keeps the contract of the store's, and may fail when a test says so.
import type { AlertMessage, AlertOutbox, DueAlert } from '../../src/controller/alert-lane.ts';

type NewMessage = { readonly id: string; readonly queue: string; readonly message: AlertMessage };
type Kept = NewMessage & { rollout: string; createdMs: number; dueMs: number; attempt: number; isAside: boolean };

export type MemoryOutbox = AlertOutbox & {
  readonly kept: Kept[];
  isDown: boolean;
  /** Calls that failed because it was down. */
  refusedCount: number;
  add(rollout: string, alerts: readonly NewMessage[], createdMs: number): void;
};

export function openMemoryOutbox(): MemoryOutbox {
  const kept: Kept[] = [];
  const find = (id: string): number => kept.findIndex((one) => one.id === id);
  const outbox: MemoryOutbox = {
    kept,
    isDown: false,
    refusedCount: 0,
    add(rollout, alerts, createdMs) {
      for (const each of alerts) {
        const isNew = find(each.id) === -1;
        if (isNew) kept.push({ ...each, rollout, createdMs, dueMs: createdMs, attempt: 0, isAside: false });
      }
    },
    async take({ nowMs, leaseMs, limit }) {
      refuseWhenDown();
      const isHeld = ({ queue }: Kept, at: number): boolean =>
        kept.slice(0, at).some((earlier) => earlier.queue === queue && !earlier.isAside);
      const due = kept.filter((one, at) => one.dueMs <= nowMs && !isHeld(one, at)).slice(0, limit);
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
    async failed({ id, nextAttemptMs, stepsAside }) {
      refuseWhenDown();
      if (nextAttemptMs === null) kept.splice(find(id), 1);
      else Object.assign(kept[find(id)]!, { dueMs: nextAttemptMs, isAside: stepsAside });
    },
  };
  function refuseWhenDown(): void {
    if (!outbox.isDown) return;
    outbox.refusedCount += 1;
    throw new Error('the store cannot be used now');
  }
  return outbox;
}
