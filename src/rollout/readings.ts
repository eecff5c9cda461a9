// The facts of one request as one decision reads them: numbered slots, each filled at most once and only when asked for.
import type { Facts } from './facts.ts';
import type { ByteString } from './policy.ts';

/** Where a value comes from. `user` is not read from the request: the identity chain finds it, see `withUser`. */
export type FactSource =
  | { readonly on: 'user' | 'method' | 'host' | 'path' | 'ip' }
  | { readonly on: 'header' | 'cookie' | 'query' | 'jwt'; readonly name: string };

/** The slot that holds the known user ID, in every layout. */
export const userSlot = 0;

/** The finished layout: what each slot is read from, and the values before anything is read, to be copied per request. */
export type Slots = { readonly sources: readonly FactSource[]; readonly unread: readonly null[] };

/** Gives each distinct fact that a rollout reads its slot; used while compiling only. */
export class SlotLayout {
  readonly sources: FactSource[] = [{ on: 'user' }];
  readonly #slots = new Map<string, number>([['user', userSlot]]);

  slotOf(source: FactSource): number {
    const key = nameOf(source);
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = this.sources.push(source) - 1;
      this.#slots.set(key, slot);
    }
    return slot;
  }

  finish(): Slots {
    const sources = Object.freeze([...this.sources]);
    return Object.freeze({ sources, unread: sources.map(() => null) });
  }
}

/** A fact as a policy writes it: `header:x-city`, `ip`. */
export function nameOf(source: FactSource): string {
  return 'name' in source ? `${source.on}:${source.name}` : source.on;
}

/** The values read so far; an empty host or address counts as absent. */
export class Readings {
  readonly #sources: readonly FactSource[];
  readonly #facts: Facts;
  /** null: not read yet; undefined: read and absent. */
  readonly #values: (ByteString | undefined | null)[];

  constructor(slots: Slots, facts: Facts) {
    this.#sources = slots.sources;
    this.#facts = facts;
    this.#values = slots.unread.slice();
  }

  /** The value in a slot; reads the fact the first time. */
  at(slot: number): ByteString | undefined {
    const known = this.#values[slot];
    if (known !== null) return known;
    const value = readFact(this.#sources[slot]!, this.#facts);
    this.#values[slot] = value;
    return value;
  }

  /** Fills the slot of the user ID; null: the request has none. */
  setUser(user: ByteString | null): void {
    this.#values[userSlot] = user ?? undefined;
  }
}

function readFact(source: FactSource, facts: Facts): ByteString | undefined {
  switch (source.on) {
    case 'header':
      return facts.header(source.name);
    case 'cookie':
      return facts.cookie(source.name);
    case 'query':
      return facts.query(source.name);
    case 'jwt':
      return facts.claim(source.name);
    case 'path':
      return facts.path;
    case 'method':
      return facts.method;
    case 'host':
      return presentOrUndefined(facts.host);
    case 'ip':
      return presentOrUndefined(facts.ip);
    default:
      return undefined;
  }
}

function presentOrUndefined(value: string): string | undefined {
  return value === '' ? undefined : value;
}
