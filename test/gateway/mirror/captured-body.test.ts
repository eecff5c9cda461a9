import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { CapturedBody } from '../../../src/gateway/mirror/captured-body.ts';

const text = Buffer.from('{"name":"上海","list":[1,2]}');

function captured(bytes: Buffer, { maxBytes = 1_000, pieceBytes = 7 } = {}): CapturedBody {
  const body = new CapturedBody(maxBytes);
  for (let at = 0; at < bytes.length; at += pieceBytes) body.add(bytes.subarray(at, at + pieceBytes));
  return body;
}

const packings: readonly (readonly [string, Buffer])[] = [
  ['', text],
  ['identity', text],
  ['gzip', gzipSync(text)],
  [' GZIP ', gzipSync(text)],
  ['deflate', deflateSync(text)],
  ['br', brotliCompressSync(text)],
  ['zstd', zstdCompressSync(text)],
];
for (const [encoding, packed] of packings) {
  test(`a body that came in pieces is read as JSON (encoding "${encoding}")`, async () => {
    assert.deepEqual(await captured(packed).read(encoding), { isKnown: true, json: { name: '上海', list: [1, 2] } });
  });
}

test('a body that is not JSON says so, and one of which nothing can be said says that', async () => {
  assert.deepEqual(await captured(Buffer.from('<html>')).read(''), { isKnown: true, json: undefined });
  assert.deepEqual(await captured(text, { maxBytes: 10 }).read(''), { isKnown: false });
  assert.deepEqual(await captured(text).read('compress'), { isKnown: false });
  assert.deepEqual(await captured(text).read('gzip'), { isKnown: false });
  assert.deepEqual(await captured(Buffer.from('['.repeat(100) + ']'.repeat(100))).read(''), { isKnown: false });
});

test('a packed body that unpacks to more than is kept is not unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(1_000_000, 0x20));
  assert.deepEqual(await captured(bomb, { maxBytes: 10_000, pieceBytes: 100 }).read('gzip'), { isKnown: false });
});

test('a piece is copied, since its memory may be used again', () => {
  const body = new CapturedBody(100);
  const piece = Buffer.from('abc');
  body.add(piece);
  piece.fill('x');
  assert.equal(body.bytes()!.toString(), 'abc');
});
