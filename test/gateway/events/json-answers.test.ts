// Answers that wait to be read: later, within bounded memory, packed ones a few at a time, and all of them at the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { JsonAnswers, largestJsonBytes } from '../../../src/gateway/events/json-answers.ts';
import { type Coding, codingOf, type Unpacked } from '../../../src/gateway/unpack.ts';
import { eventually } from '../../support/eventually.ts';

function collecting() {
  const answers = new JsonAnswers();
  const found: unknown[] = [];
  const addTo = (coding: Coding, body: Buffer): boolean =>
    answers.add({ body, coding, read: (reading) => found.push(reading.ok ? reading.document : reading.reason) });
  const add = (text: string): boolean => addTo(codingOf('')!, Buffer.from(text));
  const addPacked = (body: Buffer): boolean => addTo(codingOf('gzip')!, body);
  return { answers, found, add, addTo, addPacked };
}

test('answers are parsed later, in order, and one that is no JSON holds up no other', async () => {
  const { found, add } = collecting();
  const texts = ['1', '{"a":', 'null', '"x"'];
  assert.ok(texts.map(add).every((isTaken) => isTaken));
  assert.deepEqual(found, []);
  await eventually('all of them', () => found.length === 4);
  assert.deepEqual(found, [1, 'not-json', null, 'x']);
});

test('all that waits is read at the end, packed or not, and what comes afterwards as before', async () => {
  const { answers, found, add, addPacked } = collecting();
  for (let i = 0; i < 500; i += 2) {
    add(String(i));
    addPacked(gzipSync(String(i + 1)));
  }
  await answers.finish();
  assert.deepEqual(
    found.toSorted((a, b) => Number(a) - Number(b)),
    Array.from({ length: 500 }, (_, i) => i),
  );
  add('500');
  addPacked(gzipSync('501'));
  await eventually('the next ones', () => found.length === 502);
});

test('no more waits than fits into four megabytes, and what was read makes room', async () => {
  const { answers, found, add, addPacked } = collecting();
  const long = JSON.stringify('x'.repeat(largestJsonBytes - 100));
  const longPacked = gzipSync(long, { level: 0 });
  const taken = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? add(long) : addPacked(longPacked)));
  assert.equal(taken.filter((isTaken) => isTaken).length, 64);
  await answers.finish();
  assert.deepEqual(found, Array(64).fill(JSON.parse(long)));
  assert.equal(
    Array.from({ length: 64 }, () => add(long)).every((isTaken) => isTaken),
    true,
  );
  assert.equal(add(long), false);
});

test('an answer that unpacks to more than may be read is given up, and the next one is read', async () => {
  const { answers, found, addPacked } = collecting();
  addPacked(gzipSync(Buffer.alloc(10_000_000)));
  addPacked(gzipSync('7'));
  await answers.finish();
  assert.deepEqual(new Set(found), new Set([7, 'too-large']));
});

test('two are unpacked at once and no more', async () => {
  const { answers, found, addTo } = collecting();
  const begun: PromiseWithResolvers<Unpacked>[] = [];
  const slow: Coding = {
    unpack() {
      begun.push(Promise.withResolvers());
      return begun.at(-1)!.promise;
    },
  };
  for (let i = 0; i < 5; i += 1) addTo(slow, Buffer.from('x'));
  assert.equal(begun.length, 2);
  for (let i = 0; i < 5; i += 1) {
    begun[i]!.resolve({ ok: true, bytes: Buffer.from(String(i)) });
    await eventually('it is read', () => found.length === i + 1);
    assert.equal(begun.length, Math.min(5, i + 3));
  }
  await answers.finish();
  assert.deepEqual(found, [0, 1, 2, 3, 4]);
});
