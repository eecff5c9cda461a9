// Memory that goes round: whose it is at which time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveBackChunk, keepChunk, lendChunk, slabByteCount, takeSlab } from '../../../src/gateway/upstream/slabs.ts';

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
