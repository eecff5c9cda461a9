// The hash of users and ids against the platform's own HMAC.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { assert as assertProperty, property, string, uint8Array } from 'fast-check';
import { saltedHash } from '../../src/store/salted-hash.ts';

test('it is the first half of HMAC-SHA-256, for texts of any length and language', () => {
  assertProperty(
    property(
      uint8Array({ maxLength: 64 }),
      string({ unit: 'binary', maxLength: 300 }),
      string(),
      (salt, long, short) => {
        const hashed = saltedHash(salt);
        for (const text of [short, long, short, '用户 7']) {
          const expected = createHmac('sha256', salt).update(text).digest().subarray(0, 16);
          assert.deepEqual(Buffer.from(hashed(text)), expected);
        }
      },
    ),
    { numRuns: 300, seed: 20_261_122 },
  );
});
