// Chooses under which of its conditions a rule is filed, and builds the shelves.
import type { CompiledCondition } from './condition.ts';
import type { ByteString } from './policy.ts';
import type { IpSet } from './rule.ts';
import type { FactSource } from './readings.ts';
import { type Filed, ListShelf, PathShelf, RangeShelf, type Shelf, ValueShelf } from './shelves.ts';

/**
 * A list longer than `longListLength` is asked itself instead of being copied; but only the `mostListsAsked` longest,
 * because each list that is asked costs every request a look.
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
  'ip',
  'host',
  'method',
];

/** The condition, of those that can be looked up, that the fewest requests are likely to fit; null if the rule has none. */
export function mostTelling(
  conditions: readonly CompiledCondition[],
  sources: readonly FactSource[],
): CompiledCondition | null {
  const rankOf = ({ slot }: CompiledCondition): number => tellingOrder.indexOf(sources[slot]!.on);
  const fileable = conditions.filter((condition) => condition.kind !== 'value' || listOf(condition) !== null);
  return fileable.toSorted((a, b) => rankOf(a) - rankOf(b))[0] ?? null;
}

type Groups = {
  readonly values: Map<number, Filed<ReadonlySet<ByteString>>[]>;
  readonly lists: Map<string, Filed<ReadonlySet<ByteString>>[]>;
  readonly paths: Map<number, Filed<readonly ByteString[]>[]>;
  readonly ranges: Map<number, Filed<IpSet>[]>;
};

/**
 * Files rule 0, 1, … under the condition given for it (null: none) and gives the shelves by `lowest`, ascending.
 * Cost: linear in the values that are copied.
 */
export function fileRules(filedUnder: readonly (CompiledCondition | null)[]): readonly Shelf[] {
  const asked = longestLists(filedUnder);
  const groups: Groups = { values: new Map(), lists: new Map(), paths: new Map(), ranges: new Map() };
  for (const [number, condition] of filedUnder.entries()) {
    if (condition?.kind === 'path') add(groups.paths, condition.slot, { number, under: condition.prefixes });
    if (condition?.kind === 'ip') add(groups.ranges, condition.slot, { number, under: condition.within });
    const list = listOf(condition);
    if (condition === null || list === null) continue;
    if (asked.includes(list)) add(groups.lists, `${condition.slot} ${asked.indexOf(list)}`, { number, under: list });
    else add(groups.values, condition.slot, { number, under: list });
  }
  const shelves: Shelf[] = [
    ...Array.from(groups.values, ([slot, filed]) => new ValueShelf(slot, filed)),
    ...Array.from(groups.lists, ([key, filed]) => new ListShelf(Number.parseInt(key, 10), filed)),
    ...Array.from(groups.paths, ([slot, filed]) => new PathShelf(slot, filed)),
    ...Array.from(groups.ranges, ([slot, filed]) => new RangeShelf(slot, filed)),
  ];
  return Object.freeze(shelves.toSorted((a, b) => a.lowest - b.lowest));
}

function add<Key, Item>(groups: Map<Key, Item[]>, key: Key, item: Item): void {
  const group = groups.get(key);
  if (group) group.push(item);
  else groups.set(key, [item]);
}

/** The values of an any-of condition; null for any other. */
function listOf(condition: CompiledCondition | null): ReadonlySet<ByteString> | null {
  return condition?.kind === 'value' && condition.matches.kind === 'any-of' ? condition.matches.values : null;
}

function longestLists(filedUnder: readonly (CompiledCondition | null)[]): readonly ReadonlySet<ByteString>[] {
  const lists = new Set(filedUnder.map(listOf).filter((list) => list !== null));
  const long = [...lists].filter((list) => list.size > longListLength);
  return long.toSorted((a, b) => b.size - a.size).slice(0, mostListsAsked);
}
