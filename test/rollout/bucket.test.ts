import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { bucketOf, bucketPrefix, hashUser } from '../../src/rollout/bucket.ts';
import { bytesOf } from '../support/decisions.ts';

type Vector = { readonly salt: string; readonly user: string; readonly hash: number; readonly bucket: number };

const vectorsUrl = new URL('../vectors/buckets.json', import.meta.url);
const { cases: vectors }: { cases: Vector[] } = JSON.parse(readFileSync(vectorsUrl, 'utf8'));

describe('bucketOf', () => {
  test('there are vectors, some of them not ASCII', () => {
    assert.ok(vectors.length >= 60);
    assert.ok(vectors.some(({ user }) => /[^ -~]/.test(user)));
  });

  for (const { salt, user, hash, bucket } of vectors) {
    test(`${JSON.stringify(`${salt}:${user}`)} hashes to ${hash} and lands in bucket ${bucket}`, () => {
      const prefix = bucketPrefix(bytesOf(salt));
      assert.equal(hashUser(prefix, bytesOf(user)), hash);
      assert.equal(bucketOf(prefix, bytesOf(user)), bucket);
    });
  }

  test('Chinese IDs hash apart, which they would not if only the low byte of each UTF-16 unit were read', () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => String.fromCharCode(0x4e00 + i));
    const hashesOf = (form: (id: string) => string): number => new Set(ids.map((id) => hashUser('s:', form(id)))).size;
    assert.ok(hashesOf(bytesOf) > 19_990);
    assert.equal(
      hashesOf((id) => id),
      256,
    );
  });
});
