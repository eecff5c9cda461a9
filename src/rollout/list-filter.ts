// Tells most values that are not in a long list apart without touching the list, where a miss costs several trips to memory.
import type { ByteString } from './policy.ts';

const bitsPerValue = 8;
/** Chars of a value that are hashed: enough to tell IDs apart, and a bound on what a client can make it cost. */
const hashedChars = 64;

/** One bit a hash: no false "no", and about one false "perhaps" in eight to sixteen. Holds a byte a value. */
export class ListFilter {
  readonly #words: Uint32Array;
  readonly #mask: number;

  /** Cost: linear in the values. */
  constructor(values: ReadonlySet<ByteString>) {
    const bitCount = 2 ** Math.ceil(Math.log2(values.size * bitsPerValue + 32));
    this.#mask = bitCount - 1;
    this.#words = new Uint32Array(bitCount / 32);
    for (const value of values) {
      const bit = hashOf(value) & this.#mask;
      this.#words[bit >>> 5]! |= 1 << bit;
    }
  }

  /** false: the list does not hold the value. */
  mayHold(value: ByteString): boolean {
    const bit = hashOf(value) & this.#mask;
    return (this.#words[bit >>> 5]! & (1 << bit)) !== 0;
  }
}

/** FNV-1a (32 bits) with the high bits folded into the low ones, which are the ones used. */
function hashOf(value: ByteString): number {
  const end = Math.min(value.length, hashedChars);
  let hash = 0x811c9dc5;
  for (let i = 0; i < end; i += 1) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}
