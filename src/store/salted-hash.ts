// Users and event ids as the disk knows them: HMAC-SHA-256 with a salt of this store, the first 128 bits. Built on the one-shot hash of
// the platform, because an `Hmac` object a call costs ten times as much.

import { hash } from 'node:crypto';

const blockBytes = 64;
const digestBytes = 32;
const keptBytes = 16;

export type SaltedHash = (text: string) => Uint8Array;

/** The hash with a salt of at most 64 bytes (RFC 2104). */
export function saltedHash(salt: Uint8Array): SaltedHash {
  const key = Buffer.alloc(blockBytes);
  key.set(salt);
  const outer = Buffer.concat([key.map((byte) => byte ^ 0x5c), Buffer.alloc(digestBytes)]);
  const innerKey = key.map((byte) => byte ^ 0x36);
  let inner = Buffer.concat([innerKey, Buffer.alloc(blockBytes)]);
  return (text) => {
    const byteCount = Buffer.byteLength(text);
    if (blockBytes + byteCount > inner.length) inner = Buffer.concat([innerKey, Buffer.alloc(byteCount)]);
    inner.write(text, blockBytes);
    outer.set(hash('sha256', inner.subarray(0, blockBytes + byteCount), 'buffer'), blockBytes);
    return hash('sha256', outer, 'buffer').subarray(0, keptBytes);
  };
}
