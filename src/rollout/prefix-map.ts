// Values by path prefix: what lets rollouts and rules be looked up by path instead of tried one by one.
import type { ByteString } from './policy.ts';

/** For each path one value, made of those of every prefix (on segment borders) that holds it. */
export class PrefixMap<Value> {
  readonly #closed = new Map<ByteString, Value>();
  readonly #longest: number;

  /** `merge` adds what a longer prefix has to what it inherits from the shorter ones. */
  constructor(own: ReadonlyMap<ByteString, Value>, merge: (inherited: Value, own: Value) => Value) {
    const shortestFirst = Array.from(own).toSorted(([a], [b]) => a.length - b.length);
    this.#longest = shortestFirst.at(-1)?.[0].length ?? 0;
    for (const [prefix, value] of shortestFirst) {
      const inherited = this.get(prefix);
      this.#closed.set(prefix, inherited === undefined ? value : merge(inherited, value));
    }
  }

  /** undefined: no prefix holds the path. Cost: one look per segment of the longest prefix, whatever the client sends. */
  get(path: ByteString): Value | undefined {
    let end = path.length <= this.#longest ? path.length : path.lastIndexOf('/', this.#longest);
    while (end > 0) {
      const value = this.#closed.get(path.slice(0, end));
      if (value !== undefined) return value;
      end = path.lastIndexOf('/', end - 1);
    }
    return this.#closed.get('');
  }
}
