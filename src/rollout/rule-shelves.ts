// Files rules under the values of one of their equality conditions, so that a request looks up only rules that may hold.
import type { CompiledCondition } from './condition.ts';
import { longestOf } from './path-prefixes.ts';
import type { ByteString } from './policy.ts';
import type { FactSource } from './readings.ts';

/** Rule numbers, ascending. */
export type Numbers = readonly number[];

/** One fact to look up, and the rules filed under each of its values. `lowest`: the first rule that is filed here. */
export type Shelf = { readonly slot: number; readonly lowest: number } & (
  | {
      readonly kind: 'values' | 'prefixes';
      readonly numbersOf: ReadonlyMap<ByteString, Numbers>;
      /** Bytes of the longest value. */
      readonly longest: number;
    }
  | { readonly kind: 'list'; readonly list: ReadonlySet<ByteString>; readonly numbers: Numbers }
);

/**
 * A list longer than `longListLength` is asked itself instead of being copied into a map, so that a million IDs are held
 * once; but only the `mostListsAsked` longest, because each list that is asked costs every request a look.
 */
const longListLength = 1_000;
const mostListsAsked = 8;

/** Facts that tell requests apart, best first: a user is in few lists, a method in nearly all. */
const tellingOrder: readonly FactSource['on'][] = [
  'user',
  'cookie',
  'header',
  'query',
  'jwt',
  'path',
  'host',
  'method',
];

/** The equality condition that the fewest requests are likely to fit; null if the rule has none. */
export function mostTelling(
  conditions: readonly CompiledCondition[],
  sources: readonly FactSource[],
): CompiledCondition | null {
  const rankOf = (condition: CompiledCondition): number => tellingOrder.indexOf(sources[condition.slot]!.on);
  const equalities = conditions.filter((condition) => valuesOf(condition) !== null);
  return equalities.toSorted((a, b) => rankOf(a) - rankOf(b))[0] ?? null;
}

/**
 * Files rule 0, 1, … under the condition given for it (null: none) and gives the shelves by `lowest`, ascending.
 * Cost: linear in the values that are copied.
 */
export function fileRules(filedUnder: readonly (CompiledCondition | null)[]): readonly Shelf[] {
  const asked = longestLists(filedUnder);
  const lists: ListShelf[] = [];
  const maps = new Map<number, MapShelf>();
  for (const [number, condition] of filedUnder.entries()) {
    if (condition === null) continue;
    const list = listOf(condition);
    if (list !== null && asked.has(list)) fileList(lists, { list, slot: condition.slot, number });
    else fileValues(maps, condition, number);
  }
  for (const shelf of maps.values()) shelf.longest = longestOf(shelf.numbersOf.keys());
  return Object.freeze([...lists, ...maps.values()].toSorted((a, b) => a.lowest - b.lowest));
}

type ListShelf = {
  kind: 'list';
  slot: number;
  lowest: number;
  list: ReadonlySet<ByteString>;
  numbers: number[];
};

type MapShelf = {
  kind: 'values' | 'prefixes';
  slot: number;
  lowest: number;
  numbersOf: Map<ByteString, Numbers>;
  longest: number;
};

function fileList(
  lists: ListShelf[],
  { list, slot, number }: Pick<ListShelf, 'list' | 'slot'> & { number: number },
): void {
  const shelf = lists.find((each) => each.slot === slot && each.list === list);
  if (shelf) shelf.numbers.push(number);
  else lists.push({ kind: 'list', slot, lowest: number, list, numbers: [number] });
}

function fileValues(maps: Map<number, MapShelf>, condition: CompiledCondition, number: number): void {
  const { slot } = condition;
  const kind = condition.kind === 'path' ? 'prefixes' : 'values';
  const shelf = maps.get(slot) ?? { kind, slot, lowest: number, numbersOf: new Map<ByteString, Numbers>(), longest: 0 };
  maps.set(slot, shelf);
  fileUnderEach(shelf.numbersOf, valuesOf(condition) ?? [], number);
}

function listOf(condition: CompiledCondition): ReadonlySet<ByteString> | null {
  return condition.kind === 'value' && condition.matches.kind === 'any-of' ? condition.matches.values : null;
}

function valuesOf(condition: CompiledCondition): Iterable<ByteString> | null {
  return condition.kind === 'path' ? condition.prefixes : listOf(condition);
}

function longestLists(filedUnder: readonly (CompiledCondition | null)[]): ReadonlySet<ReadonlySet<ByteString>> {
  const lists = new Set(filedUnder.flatMap((condition) => (condition && listOf(condition)) ?? []));
  const long = [...lists].filter((list) => list.size > longListLength);
  return new Set(long.toSorted((a, b) => b.size - a.size).slice(0, mostListsAsked));
}

/** Values that the same rules are filed under share one array of numbers. */
function fileUnderEach(numbersOf: Map<ByteString, Numbers>, values: Iterable<ByteString>, number: number): void {
  const grown = new Map<Numbers | undefined, Numbers>();
  for (const value of values) {
    const before = numbersOf.get(value);
    // A list may name one value twice.
    if (before?.at(-1) === number) continue;
    const after = grown.get(before) ?? [...(before ?? []), number];
    grown.set(before, after);
    numbersOf.set(value, after);
  }
}
