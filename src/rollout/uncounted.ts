// Requests that are decided like any other and yet count in no comparison of what the business counts: bots, monitors.
import { type CompiledCondition, compileCondition, conditionHolds } from './condition.ts';
import type { Facts } from './facts.ts';
import type { ByteString, Condition } from './policy.ts';
import { Readings, SlotLayout, type Slots } from './readings.ts';

export type Uncounted = { readonly slots: Slots; readonly any: readonly (readonly CompiledCondition[])[] };

/** Prepares the `exclude` of a rollout; null where every request counts. */
export function compileUncounted(exclude: readonly (readonly Condition[])[]): Uncounted | null {
  if (exclude.length === 0) return null;
  const layout = new SlotLayout();
  const any = exclude.map((conditions) =>
    Object.freeze(conditions.map((condition) => compileCondition(condition, layout))),
  );
  return Object.freeze({ slots: layout.finish(), any: Object.freeze(any) });
}

/** Whether a request of this user counts in no comparison. Cost: linear in the conditions. */
export function isUncounted({ slots, any }: Uncounted, facts: Facts, user: ByteString | null): boolean {
  const readings = new Readings(slots, facts);
  readings.setUser(user);
  return any.some((conditions) => conditions.every((condition) => conditionHolds(condition, readings)));
}
