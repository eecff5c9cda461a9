// Where a user's hash falls. The only place that hashes, and the one file of this room that imports from npm (a pure function).
import { murmur3 } from 'murmurhash-js';
import type { ByteString } from './policy.ts';
import { bucketCount } from './split.ts';

/** What is hashed in front of every user ID of a rollout: `<salt>:`. */
export function bucketPrefix(salt: ByteString): ByteString {
  return `${salt}:`;
}

/**
 * murmur3_x86_32 with seed 0, unsigned, of `prefix` and `user`: both ByteStrings, because murmurhash-js reads only the low
 * byte of each char. Cost: linear in the length of the ID.
 */
export function hashUser(prefix: ByteString, user: ByteString): number {
  return murmur3(prefix + user, 0);
}

/** The user's bucket, 0–9999. */
export function bucketOf(prefix: ByteString, user: ByteString): number {
  return hashUser(prefix, user) % bucketCount;
}
