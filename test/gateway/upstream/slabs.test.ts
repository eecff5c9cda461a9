// Memory that goes round: whose it is at which time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerReader } from '../../../src/gateway/upstream/http1-answer-reader.ts';
import {
  giveBackChunk,
  giveBackSlab,
  keepChunk,
  lendChunk,
  sharedSlab,
  slabByteCount,
  takeSlab,
} from '../../../src/gateway/upstream/slabs.ts';

test('a slab that was given back is the next one taken, once', () => {
  const slab = takeSlab();
  const chunk = lendChunk(slab, 10, 20);
  assert.deepEqual([chunk.length, chunk.buffer === slab.buffer, slab.length], [10, true, slabByteCount]);
  giveBackChunk(chunk);
  giveBackChunk(chunk);
  assert.equal(takeSlab(), slab);
  assert.notEqual(takeSlab(), slab);
});

test('a slab of which a chunk is kept is not read into again', () => {
  const slab = takeSlab();
  const chunk = lendChunk(slab, 0, 1);
  keepChunk(chunk);
  giveBackChunk(chunk);
  assert.notEqual(takeSlab(), slab);
});

test('memory from elsewhere is left alone', () => {
  const foreign = Buffer.alloc(slabByteCount);
  giveBackChunk(foreign);
  assert.notEqual(takeSlab(), foreign);
});

const ignore = (): void => undefined;

test('a connection has memory of its own only while a large answer comes', () => {
  const chunks: Buffer[] = [];
  const reader = new AnswerReader({
    interimRead: ignore,
    headRead: ignore,
    dataRead: (chunk) => void chunks.push(chunk),
    answerRead: ignore,
  });
  const read = (bytes: string): void => reader.read(reader.slab.write(bytes, 'latin1'));
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n';
  for (let i = 0; i < 2; i += 1) {
    reader.expect('GET');
    assert.ok(reader.slab === sharedSlab);
    read((head + 'a'.repeat(50_000)).slice(0, sharedSlab.length));
    const own = reader.slab;
    assert.deepEqual([own === sharedSlab, own.length], [false, slabByteCount]);
    read('a'.repeat(head.length + 50_000 - sharedSlab.length - 1));
    assert.ok(reader.slab !== own);
    read('a');
    assert.ok(reader.slab === sharedSlab);
  }
  sharedSlab.fill('b');
  assert.ok(Buffer.concat(chunks).equals(Buffer.alloc(100_000, 'a')));
  const next = takeSlab();
  assert.ok(chunks.every(({ buffer }) => buffer !== next.buffer));
  giveBackSlab(next);
  assert.ok(takeSlab() === next);
});
