// Finds the first rule that holds without trying them all. Compiled once a policy; nothing here changes afterwards.
import { type CompiledCondition, compileCondition, conditionHolds, costOf } from './condition.ts';
import type { Version } from './policy.ts';
import type { Rule } from './rule.ts';
import type { Readings, SlotLayout } from './readings.ts';
import { fileRules, mostTelling } from './rule-shelves.ts';
import type { Numbers, Shelf } from './shelves.ts';
import { layOutSplit } from './split.ts';

export type CompiledRule = {
  readonly rule: Rule;
  /** In the order in which the policy lists them. */
  readonly conditions: readonly CompiledCondition[];
  /** The condition that the rule is filed under; null: it has to be tried. */
  readonly filedUnder: CompiledCondition | null;
  /** The other conditions, cheapest first. */
  readonly rest: readonly CompiledCondition[];
  /** The rule's own split laid out; null where it names a version. */
  readonly upperBounds: readonly number[] | null;
};

export type RuleIndex = {
  readonly rules: readonly CompiledRule[];
  readonly shelves: readonly Shelf[];
  /** Rules without a condition that can be looked up: tried one by one. */
  readonly unfiled: Numbers;
};

/** Compiles and files the rules of one rollout. Cost: linear in the rules and in the values of short lists. */
export function compileRules(rules: readonly Rule[], versions: readonly Version[], layout: SlotLayout): RuleIndex {
  const compiled = rules.map((rule) => compileRule(rule, versions, layout));
  const unfiled = compiled.flatMap((rule, number) => (rule.filedUnder === null ? [number] : []));
  return Object.freeze({
    rules: Object.freeze(compiled),
    shelves: fileRules(compiled.map((rule) => rule.filedUnder)),
    unfiled: Object.freeze(unfiled),
  });
}

function compileRule(rule: Rule, versions: readonly Version[], layout: SlotLayout): CompiledRule {
  const conditions = rule.when.map((condition) => compileCondition(condition, layout));
  const filedUnder = mostTelling(conditions, layout.sources);
  const rest = conditions.filter((condition) => condition !== filedUnder);
  return Object.freeze({
    rule,
    conditions: Object.freeze(conditions),
    filedUnder,
    rest: Object.freeze(rest.toSorted((a, b) => costOf(a) - costOf(b))),
    upperBounds: rule.then.kind === 'split' ? layOutSplit(versions, rule.then.split).upperBounds : null,
  });
}

/**
 * The first rule, in listed order, of which every condition holds; null if none does. Cost: one look per shelf, plus the
 * rules found there and the unfiled ones, as far as they come before the best so far.
 */
export function firstRule(index: RuleIndex, readings: Readings): CompiledRule | null {
  const { rules, shelves, unfiled } = index;
  let best = rules.length;
  for (const shelf of shelves) {
    if (shelf.lowest >= best) break;
    const value = readings.at(shelf.slot);
    if (value !== undefined) best = firstOf(shelf.numbersOf(value), { rules, best, readings });
  }
  return rules[firstOf(unfiled, { rules, best, readings })] ?? null;
}

/** `best`: the lowest number that is known to hold; the number of rules if none is. */
type Search = { readonly rules: readonly CompiledRule[]; readonly best: number; readonly readings: Readings };

function firstOf(numbers: Numbers, { rules, best, readings }: Search): number {
  for (const number of numbers) {
    if (number >= best) break;
    if (allHold(rules[number]!.rest, readings)) return number;
  }
  return best;
}

function allHold(conditions: readonly CompiledCondition[], readings: Readings): boolean {
  for (const condition of conditions) if (!conditionHolds(condition, readings)) return false;
  return true;
}
