// Packed bodies: every coding of the web, and bodies that are made to harm.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { codingOf, type Unpacked } from '../../src/gateway/unpack.ts';

const text = Buffer.from('{"name":"\u4e0a\u6d77"}');

function unpack(coding: string, packed: Buffer, mostBytes = 65_536): Promise<Unpacked> {
  return codingOf(coding)!.unpack!(packed, mostBytes);
}

suite('a packed body', () => {
  const packings: readonly (readonly [string, (plain: Buffer) => Buffer])[] = [
    ['gzip', gzipSync],
    ['X-GZIP', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    [' br ', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ];
  for (const [coding, pack] of packings) {
    test(`by ${pack.name} is unpacked as "${coding}", up to the size that is asked for`, async () => {
      assert.deepEqual(await unpack(coding, pack(text), text.length), { ok: true, bytes: text });
      const tooLarge = { ok: false, reason: 'too-large' };
      assert.deepEqual(await unpack(coding, pack(text), text.length - 1), tooLarge);
      assert.deepEqual(await unpack(coding, pack(Buffer.alloc(20_000_000)), 65_536), tooLarge);
    });

    test(`by ${pack.name} that is cut or garbled, read as "${coding}", is broken`, async () => {
      const packed = pack(text);
      const broken = { ok: false, reason: 'broken' };
      assert.deepEqual(await unpack(coding, packed.subarray(0, packed.length - 5)), broken);
      assert.deepEqual(await unpack(coding, text), broken);
      assert.deepEqual(await unpack(coding, Buffer.alloc(0)), broken);
    });
  }

  test('that asks for more memory than HTTP allows gets none', async () => {
    const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 };
    const greedy = zstdCompressSync(Buffer.alloc(200_000_000), { params });
    assert.deepEqual(await unpack('zstd', greedy), { ok: false, reason: 'broken' });
  });
});

test('a body without a coding needs no unpacking, and several or others are not understood', () => {
  for (const coding of ['', 'identity', ' Identity ']) assert.equal(codingOf(coding)?.unpack, null);
  for (const coding of ['gzip, br', 'gzip, identity', 'compress', 'constructor']) assert.equal(codingOf(coding), null);
});
