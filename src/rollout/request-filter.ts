// Lists of conditions that are asked apart from the decision, of few requests: what is excluded, what counts as an event.
import { type CompiledCondition, compileCondition, conditionHolds } from './condition.ts';
import type { Facts } from './facts.ts';
import type { ByteString } from './policy.ts';
import type { Condition } from './rule.ts';
import { Readings, SlotLayout, type Slots } from './readings.ts';

export type RequestFilter = { readonly slots: Slots; readonly any: readonly (readonly CompiledCondition[])[] };

/** Prepares lists of which one must hold, with all of its conditions; null where there is none, so that nothing fits. */
export function compileFilter(lists: readonly (readonly Condition[])[]): RequestFilter | null {
  if (lists.length === 0) return null;
  const layout = new SlotLayout();
  const any = lists.map((conditions) =>
    Object.freeze(conditions.map((condition) => compileCondition(condition, layout))),
  );
  return Object.freeze({ slots: layout.finish(), any: Object.freeze(any) });
}

/** Whether one of the lists holds for a request of this user. Cost: linear in the conditions. */
export function fitsFilter({ slots, any }: RequestFilter, facts: Facts, user: ByteString | null): boolean {
  const readings = new Readings(slots, facts);
  readings.setUser(user);
  return any.some((conditions) => conditions.every((condition) => conditionHolds(condition, readings)));
}
