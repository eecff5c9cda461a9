// Answers that wait to be parsed: later, in order, within bounded memory, and all of them at the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonAnswers, largestJsonBytes } from '../../../src/gateway/events/json-answers.ts';
import { eventually } from '../../support/eventually.ts';

function collecting() {
  const answers = new JsonAnswers();
  const parsed: unknown[] = [];
  const add = (text: string): boolean => answers.add(Buffer.from(text), (document) => parsed.push(document));
  return { answers, parsed, add };
}

test('answers are parsed later, in order, and one that is no JSON holds up no other', async () => {
  const { parsed, add } = collecting();
  const texts = ['1', '{"a":', 'null', '"x"'];
  assert.ok(texts.map(add).every((isTaken) => isTaken));
  assert.deepEqual(parsed, []);
  await eventually('all of them', () => parsed.length === 4);
  assert.deepEqual(parsed, [1, undefined, null, 'x']);
});

test('all that waits is parsed at once at the end, and what comes afterwards as before', async () => {
  const { answers, parsed, add } = collecting();
  for (let i = 0; i < 500; i += 1) add(String(i));
  answers.finish();
  assert.deepEqual(
    parsed,
    Array.from({ length: 500 }, (_, i) => i),
  );
  add('500');
  await eventually('the next one', () => parsed.length === 501);
});

test('no more waits than fits into four megabytes', async () => {
  const { answers, parsed, add } = collecting();
  const long = JSON.stringify('x'.repeat(largestJsonBytes - 2));
  const taken = Array.from({ length: 100 }, () => add(long)).filter((isTaken) => isTaken);
  assert.equal(taken.length, 64);
  answers.finish();
  assert.equal(parsed.length, 64);
  assert.equal(add(long), true);
});
