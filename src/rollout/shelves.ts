// Shelves: which rules may hold, given the value of one fact. Filled when they are built; rules are known by their number.
import { ListFilter } from './list-filter.ts';
import type { ByteString } from './policy.ts';
import type { IpSet } from './rule.ts';
import { PrefixMap } from './prefix-map.ts';

/** Rule numbers, ascending. */
export type Numbers = readonly number[];

/** A rule and what it is filed under. */
export type Filed<Condition> = { readonly number: number; readonly under: Condition };

export interface Shelf {
  /** Where the value is read. */
  readonly slot: number;
  /** The first rule that is filed here. */
  readonly lowest: number;
  /** The rules whose condition on this fact holds. */
  numbersOf(value: ByteString): Numbers;
}

const none: Numbers = Object.freeze([]);

/** Rules that name values: one map for all of them. */
export class ValueShelf implements Shelf {
  readonly slot: number;
  readonly lowest: number;
  readonly #numbers: ReadonlyMap<ByteString, Numbers>;

  constructor(slot: number, filed: readonly Filed<Iterable<ByteString>>[]) {
    this.slot = slot;
    this.lowest = filed[0]!.number;
    this.#numbers = numbersByValue(filed);
  }

  numbersOf(value: ByteString): Numbers {
    return this.#numbers.get(value) ?? none;
  }
}

/** Rules that name path prefixes. */
export class PathShelf implements Shelf {
  readonly slot: number;
  readonly lowest: number;
  readonly #numbers: PrefixMap<Numbers>;

  constructor(slot: number, filed: readonly Filed<readonly ByteString[]>[]) {
    this.slot = slot;
    this.lowest = filed[0]!.number;
    this.#numbers = new PrefixMap(numbersByValue(filed), merged);
  }

  numbersOf(path: ByteString): Numbers {
    return this.#numbers.get(path) ?? none;
  }
}

/** Rules that share one long list, which is asked itself, so that a million values are held once. */
export class ListShelf implements Shelf {
  readonly slot: number;
  readonly lowest: number;
  readonly #list: ReadonlySet<ByteString>;
  readonly #filter: ListFilter;
  readonly #numbers: Numbers;

  constructor(slot: number, filed: readonly Filed<ReadonlySet<ByteString>>[]) {
    this.slot = slot;
    this.lowest = filed[0]!.number;
    this.#list = filed[0]!.under;
    this.#filter = new ListFilter(this.#list);
    this.#numbers = filed.map(({ number }) => number);
  }

  numbersOf(value: ByteString): Numbers {
    return this.#filter.mayHold(value) && this.#list.has(value) ? this.#numbers : none;
  }
}

/** Addresses remembered; one more and it starts anew, so that a scan of addresses cannot fill the memory. */
const rememberedAddresses = 8_192;

/** Rules that name address ranges: which ranges hold an address is found out once and remembered, which changes no answer. */
export class RangeShelf implements Shelf {
  readonly slot: number;
  readonly lowest: number;
  readonly #filed: readonly Filed<IpSet>[];
  readonly #known = new Map<ByteString, Numbers>();

  constructor(slot: number, filed: readonly Filed<IpSet>[]) {
    this.slot = slot;
    this.lowest = filed[0]!.number;
    this.#filed = filed;
  }

  numbersOf(ip: ByteString): Numbers {
    const known = this.#known.get(ip);
    if (known !== undefined) return known;
    const holding = this.#filed.filter(({ under }) => under.has(ip));
    const numbers = holding.length === 0 ? none : holding.map(({ number }) => number);
    if (this.#known.size >= rememberedAddresses) this.#known.clear();
    this.#known.set(ip, numbers);
    return numbers;
  }
}

function merged(a: Numbers, b: Numbers): Numbers {
  return [...new Set([...a, ...b])].toSorted((x, y) => x - y);
}

/** Values that the same rules are filed under share one array of numbers. */
function numbersByValue(filed: readonly Filed<Iterable<ByteString>>[]): Map<ByteString, Numbers> {
  const numbersOf = new Map<ByteString, Numbers>();
  for (const { number, under } of filed) {
    const grown = new Map<Numbers, Numbers>();
    for (const value of under) {
      const before = numbersOf.get(value) ?? none;
      const after = grown.get(before) ?? [...before, number];
      grown.set(before, after);
      numbersOf.set(value, after);
    }
  }
  return numbersOf;
}
