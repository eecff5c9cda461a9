// Which users are new, in constant memory: one bit a hash. Two users that share a bit count as one, which is as likely in
// one version as in another, so the ratio of the versions stays what it is.

const bitCount = 2 ** 24;

/** 2 MiB; with 1.6 million users a tenth of the newcomers are taken for known ones. */
export class FirstSeen {
  readonly #bits = new Uint32Array(bitCount / 32);

  /** Whether a user's hash (any 32-bit number) comes for the first time; it is known from then on. */
  isNew(hash: number): boolean {
    const bit = (hash >>> 0) % bitCount;
    const mask = 1 << (bit & 31);
    const known = (this.#bits[bit >>> 5]! & mask) !== 0;
    if (!known) this.#bits[bit >>> 5]! |= mask;
    return !known;
  }
}
