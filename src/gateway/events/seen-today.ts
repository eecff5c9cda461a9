// Who was noted today, in constant memory: a table of 64-bit hashes in which each has one place. Whoever is driven out of a place,
// or comes to another process, is noted again, and nothing depends on it.
import { randomBytes } from 'node:crypto';
import type { ByteString } from '../../rollout/policy.ts';

const placeCount = 2 ** 18;

/** 2 MiB, for all rollouts together. A user is taken for another with a chance of 1 in 2^64, and nobody can choose an ID for that: the hash is salted. */
export class SeenToday {
  readonly #low = new Uint32Array(placeCount);
  readonly #high = new Uint32Array(placeCount);
  readonly #salts: readonly [number, number];
  /** The hash that was computed last, in two halves. */
  #lowHash = 0;
  #highHash = 0;

  constructor() {
    const salt = randomBytes(8);
    this.#salts = [salt.readInt32LE(0), salt.readInt32LE(4)];
  }

  /** Whether a user was noted on this day with this version, which is any 32-bit number. Cost: linear in the length of the ID. */
  isNoted(user: ByteString, version: number, day: number): boolean {
    this.#hash(user, version, day);
    const place = this.#lowHash & (placeCount - 1);
    return this.#low[place] === this.#lowHash && this.#high[place] === this.#highHash;
  }

  note(user: ByteString, version: number, day: number): void {
    this.#hash(user, version, day);
    const place = this.#lowHash & (placeCount - 1);
    this.#low[place] = this.#lowHash;
    this.#high[place] = this.#highHash;
  }

  /** Two multiplicative hashes in one pass (cyrb53 by bryc, public domain), with its final mixing. */
  #hash(user: ByteString, version: number, day: number): void {
    let low = Math.imul(this.#salts[0] ^ version, 0x9e37_79b1);
    let high = Math.imul(this.#salts[1] ^ day, 0x5f35_6495);
    for (let i = 0; i < user.length; i += 1) {
      const byte = user.charCodeAt(i);
      low = Math.imul(low ^ byte, 0x9e37_79b1);
      high = Math.imul(high ^ byte, 0x5f35_6495);
    }
    const mixed = Math.imul(low ^ (low >>> 16), 0x85eb_ca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2_ae35);
    this.#highHash =
      (Math.imul(high ^ (high >>> 16), 0x85eb_ca6b) ^ Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)) >>> 0;
    this.#lowHash = mixed >>> 0;
  }
}
