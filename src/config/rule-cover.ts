// Which rules can never hold, because an earlier one takes everything that they would. Says so only where it is certain.
import type { ByteString } from '../rollout/policy.ts';
import type { Condition, Matcher, Rule } from '../rollout/rule.ts';
import { isPathWithin } from '../rollout/path.ts';
import { CidrSet } from './ip-set.ts';

/** Values of a list that are tried one by one; a longer list is not judged. */
const triedValues = 10_000;

/** The first of the earlier rules that holds whenever `rule` does; null if none is sure to. */
export function coveringRule(rule: Rule, earlier: readonly Rule[]): Rule | null {
  return earlier.find((other) => other.when.every((condition) => isCertain(condition, rule.when))) ?? null;
}

function isCertain(condition: Condition, given: readonly Condition[]): boolean {
  return holdsAlways(condition) || given.some((each) => implies(each, condition));
}

function holdsAlways(condition: Condition): boolean {
  if (condition.on === 'path') return condition.prefixes.includes('');
  return condition.on === 'ip' && condition.within instanceof CidrSet && condition.within.holdsEveryAddress;
}

function implies(given: Condition, condition: Condition): boolean {
  if (given.on === 'ip' || condition.on === 'ip' || given.on !== condition.on) return false;
  if (given.on === 'path' || condition.on === 'path') {
    if (given.on !== 'path' || condition.on !== 'path') return false;
    const { prefixes } = condition;
    return given.prefixes.every((path) => prefixes.some((prefix) => isPathWithin(path, prefix)));
  }
  const [name, otherName] = [given, condition].map((each) => ('name' in each ? each.name : ''));
  return name === otherName && matcherImplies(given.matches, condition.matches);
}

function matcherImplies(given: Matcher, other: Matcher): boolean {
  if (given.kind === 'exists') return other.kind === 'exists' && given.expected === other.expected;
  if (other.kind === 'exists') return other.expected;
  if (given.kind === 'any-of') {
    return given.values.size <= triedValues && [...given.values].every((value) => fits(value, other));
  }
  if (given.kind === 'pattern') return other.kind === 'pattern' && given.pattern.source === other.pattern.source;
  if (other.kind === 'contains') return given.text.includes(other.text);
  if (given.kind === 'prefix') return other.kind === 'prefix' && given.text.startsWith(other.text);
  return given.kind === 'suffix' && other.kind === 'suffix' && given.text.endsWith(other.text);
}

function fits(value: ByteString, matcher: Exclude<Matcher, { kind: 'exists' }>): boolean {
  if (matcher.kind === 'any-of') return matcher.values.has(value);
  if (matcher.kind === 'pattern') return matcher.pattern.test(value);
  if (matcher.kind === 'prefix') return value.startsWith(matcher.text);
  return matcher.kind === 'suffix' ? value.endsWith(matcher.text) : value.includes(matcher.text);
}
