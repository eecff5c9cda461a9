// The few forms that every key of the policy is made of, on zod: each says in its issues what is wrong and what would be right.
import { z } from 'zod';
import { suggestName } from '../rollout/nearest-name.ts';
import { accepted, refused, refusedUnseen, type Reading } from './reading.ts';

/** What a custom issue carries, besides its message (what is wrong). */
export type IssueDetails = {
  readonly hint: string | null;
  readonly hidesValue: boolean;
  readonly at: 'key' | 'value';
};

/** Whether the parameters of a custom issue are what this file puts there. */
export function isIssueDetails(params: unknown): params is IssueDetails {
  return typeof params === 'object' && params !== null && 'hidesValue' in params;
}

/** A single value: `read` turns it into what the policy holds. `expected` says what should be there: `a duration such as 30s`. */
export function written<T>(read: (value: unknown) => Reading<T>, expected: string) {
  return z.unknown().transform((value, context): T => {
    if (value === undefined || value === null || typeof value === 'object') {
      context.issues.push({ code: 'invalid_type', expected: 'string', message: expected, input: value });
      return z.NEVER;
    }
    const reading = read(value);
    if (reading.ok) return reading.value;
    const details: IssueDetails = { hint: reading.hint, hidesValue: reading.hidesValue, at: 'value' };
    context.issues.push({ code: 'custom', message: reading.problem, params: details, input: value });
    return z.NEVER;
  });
}

/**
 * A mapping with just these keys. The message of an unknown-key issue is the list of the known keys, since the issue itself
 * does not hold them.
 */
export function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape, expected: string) {
  const known = Object.keys(shape).join(' ');
  return z.strictObject(shape, { error: ({ code }) => (code === 'unrecognized_keys' ? known : expected) });
}

/** A mapping from names to values, all names and all values alike. */
export function keyed<Value extends z.core.SomeType>(key: z.ZodString, value: Value, expected: string) {
  return z.record(key, value, { error: () => expected });
}

/** A list. */
export function listOf<Item extends z.core.$ZodType>(item: Item, expected: string) {
  return z.array(item, { error: () => expected });
}

/** A list of at least one. */
export function someOf<Item extends z.core.$ZodType>(item: Item, expected: string) {
  return listOf(item, expected).min(1, { error: () => expected });
}

/** One value, or a list of at least one. */
export function oneOrMore<Item extends z.core.$ZodType>(item: Item, expected: string) {
  return z.union([item, someOf(item, expected)], { error: () => expected });
}

/** A name of a mapping's key, tested; the issue is at the key. */
export function keyName(pattern: RegExp, hint: string) {
  const details: IssueDetails = { hint, hidesValue: true, at: 'key' };
  return z
    .string()
    .refine((key) => pattern.test(key), { message: 'is not a name that can stand here', params: details });
}

/** Text; a number or true is refused, since `010` would silently become 8 or 10. */
export function text(expected: string) {
  return written(readText, expected);
}

/** Text that is not empty. */
export function someText(expected: string) {
  return written((value) => (value === '' ? refused('is empty', `expected ${expected}`) : readText(value)), expected);
}

/** Text that is not empty and never shown. */
export function secretText(expected: string) {
  return written((value) => {
    const reading = readText(value);
    if (reading.ok && reading.value !== '') return reading;
    return refusedUnseen(reading.ok ? 'is empty' : reading.problem, `expected ${expected}, in quotes`);
  }, expected);
}

/** True or false; the words count, so that `${NAME}` can stand for them. */
export function toggle() {
  return written((value) => {
    const word = String(value);
    return word === 'true' || word === 'false' ? accepted(word === 'true') : refused('is neither true nor false');
  }, 'true or false');
}

/** One of a few words. */
export function oneOf<const Word extends string>(...words: Word[]) {
  const listed = words.join(', ');
  return written((value) => {
    const word = words.find((known) => known === value);
    return word === undefined
      ? refused(`is not one of ${listed}`, suggestName(String(value), words, 'known'))
      : accepted(word);
  }, `one of ${listed}`);
}

/** Exactly one of these keys must be there. */
export function exactlyOne<Schema extends z.ZodObject>(schema: Schema, keys: readonly string[]): Schema {
  const details: IssueDetails = { hint: 'write exactly one', hidesValue: true, at: 'value' };
  const countOf = (value: unknown) =>
    Object.entries(value ?? {}).filter(([key, item]) => keys.includes(key) && item !== undefined).length;
  return schema.refine((value) => countOf(value) === 1, {
    error: ({ input }) => `has ${countOf(input) === 0 ? 'none' : 'more than one'} of ${keys.join(', ')}`,
    params: details,
    when: isReadable,
  });
}

/** The `when` of a check on a whole mapping: also where single keys have issues, but not past a misspelt key. */
export function isReadable({ value, issues }: z.core.ParsePayload): boolean {
  return typeof value === 'object' && value !== null && !issues.some(({ code }) => code === 'unrecognized_keys');
}

function readText(value: unknown): Reading<string> {
  return typeof value === 'string' ? accepted(value) : refused('is not text', 'put it in quotes');
}
