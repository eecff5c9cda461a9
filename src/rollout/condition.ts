// One condition of a rule against what was read of a request. An absent value fits nothing but `exists: false`.
import { isPathWithin } from './path.ts';
import type { ByteString } from './policy.ts';
import type { Condition, IpSet, Matcher } from './rule.ts';
import type { Readings, SlotLayout } from './readings.ts';

export type CompiledCondition =
  | { readonly kind: 'value'; readonly slot: number; readonly matches: Matcher }
  | { readonly kind: 'path'; readonly slot: number; readonly prefixes: readonly ByteString[] }
  | { readonly kind: 'ip'; readonly slot: number; readonly within: IpSet };

/** Binds a condition to the slot it reads. */
export function compileCondition(condition: Condition, layout: SlotLayout): CompiledCondition {
  switch (condition.on) {
    case 'path':
      return { kind: 'path', slot: layout.slotOf({ on: 'path' }), prefixes: condition.prefixes };
    case 'ip':
      return { kind: 'ip', slot: layout.slotOf({ on: 'ip' }), within: condition.within };
    case 'user':
    case 'method':
    case 'host':
      return { kind: 'value', slot: layout.slotOf({ on: condition.on }), matches: condition.matches };
    default: {
      const slot = layout.slotOf({ on: condition.on, name: condition.name });
      return { kind: 'value', slot, matches: condition.matches };
    }
  }
}

/** Whether the condition holds for the request. Cost: constant for lists of any length; linear in prefixes of a path condition. */
export function conditionHolds(condition: CompiledCondition, readings: Readings): boolean {
  const value = readings.at(condition.slot);
  if (condition.kind === 'value') return matcherFits(condition.matches, value);
  if (value === undefined) return false;
  if (condition.kind === 'ip') return condition.within.has(value);
  for (const prefix of condition.prefixes) if (isPathWithin(value, prefix)) return true;
  return false;
}

function matcherFits(matcher: Matcher, value: ByteString | undefined): boolean {
  if (matcher.kind === 'exists') return (value !== undefined) === matcher.expected;
  if (value === undefined) return false;
  switch (matcher.kind) {
    case 'any-of':
      return matcher.values.has(value);
    case 'prefix':
      return value.startsWith(matcher.text);
    case 'suffix':
      return value.endsWith(matcher.text);
    case 'contains':
      return value.includes(matcher.text);
    default:
      return matcher.pattern.test(value);
  }
}

/** What checking the condition costs, roughly: rules check their cheap conditions first. */
export function costOf(condition: CompiledCondition): number {
  if (condition.kind === 'path') return 2;
  if (condition.kind === 'ip') return 4;
  return { 'any-of': 0, exists: 0, prefix: 1, suffix: 1, contains: 3, pattern: 5 }[condition.matches.kind];
}
