// Slices on their way to a disk that is slow, full, silent or well: what is written, kept and dropped.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHistoryBuffer, type HistoryBufferOptions, type WriteOutcome } from '../../src/store/history-buffer.ts';
import type { HistorySlice } from '../../src/store/history-store.ts';
import { historySlice } from './samples.ts';

/** A buffer on a disk that the test plays: each write takes the next of `outcomes`, then all succeed. */
function bufferOn(outcomes: WriteOutcome[], options: Partial<HistoryBufferOptions> = {}) {
  const written: number[][] = [];
  const disk = { isWell: true };
  const buffer = createHistoryBuffer({
    write: async (batch) => {
      const outcome = outcomes.shift() ?? 'written';
      if (outcome === 'written') written.push(batch.map(({ startMs }) => startMs));
      else disk.isWell = false;
      return outcome;
    },
    canWrite: () => disk.isWell,
    capacityCount: 10,
    batchCount: 4,
    delayMs: 60_000,
    ...options,
  });
  return { buffer, written, disk };
}

function slices(from: number, to: number): HistorySlice[] {
  return Array.from({ length: to - from + 1 }, (_, n) => historySlice(from + n, 1));
}

test('slices of several appends are written in batches, in order', async () => {
  const { buffer, written } = bufferOn([]);
  buffer.append(slices(1, 3));
  buffer.append(slices(4, 6));
  await Promise.all([buffer.flush(), buffer.flush()]);
  assert.deepEqual(written, [
    [1, 2, 3, 4],
    [5, 6],
  ]);
  assert.equal(buffer.droppedCount(), 0);
});

test('while nothing can be written the oldest are dropped and counted', async () => {
  const { buffer, written, disk } = bufferOn([], { batchCount: 100 });
  disk.isWell = false;
  buffer.append(slices(1, 8));
  buffer.append(slices(9, 13));
  await buffer.flush();
  assert.deepEqual(written, []);
  assert.equal(buffer.droppedCount(), 3);
  disk.isWell = true;
  await buffer.flush();
  assert.deepEqual(written, [slices(4, 13).map(({ startMs }) => startMs)]);
});

test('a batch that was refused is written later, before what came after it', async () => {
  const { buffer, written, disk } = bufferOn(['refused']);
  buffer.append(slices(1, 6));
  await buffer.flush();
  assert.deepEqual(written, []);
  disk.isWell = true;
  buffer.append(slices(7, 8));
  await buffer.flush();
  assert.deepEqual(written, [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ]);
  assert.equal(buffer.droppedCount(), 0);
});

test('a refused batch that finds no more room is dropped first', async () => {
  const refused = Promise.withResolvers<void>();
  const { buffer } = bufferOn([], {
    write: async () => {
      await refused.promise;
      return 'refused';
    },
    capacityCount: 5,
  });
  buffer.append(slices(1, 4));
  const flushing = buffer.flush();
  buffer.append(slices(5, 8));
  refused.resolve();
  await flushing;
  assert.equal(buffer.droppedCount(), 3);
});

test('a batch that may have been written is never written again, and counts as dropped', async () => {
  const { buffer, written, disk } = bufferOn(['lost']);
  buffer.append(slices(1, 6));
  await buffer.flush();
  disk.isWell = true;
  await buffer.flush();
  assert.deepEqual(written, [[5, 6]]);
  assert.equal(buffer.droppedCount(), 4);
});

test('slices are written by themselves after a delay', async () => {
  const { promise, resolve } = Promise.withResolvers<readonly HistorySlice[]>();
  const { buffer } = bufferOn([], {
    delayMs: 1,
    write: async (batch) => {
      resolve(batch);
      return 'written';
    },
  });
  buffer.append(slices(1, 2));
  const keepAlive = setTimeout(() => {}, 60_000);
  assert.equal((await promise).length, 2);
  clearTimeout(keepAlive);
});
