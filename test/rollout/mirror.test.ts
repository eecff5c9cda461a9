import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, jsonValue, property } from 'fast-check';
import { differencesBetween, type ComparedAnswer, type Diff } from '../../src/rollout/mirror.ts';

const everything: Diff = { status: true, headers: ['content-type', 'x-a'], json: { ignore: [] } };

function answer(json: unknown, changes: Partial<ComparedAnswer> = {}): ComparedAnswer {
  return { status: 200, headers: ['content-type', 'application/json'], json, ...changes };
}

function places(user: unknown, copy: unknown, ignore: (string | null)[][] = []): string[] {
  const diff: Diff = { ...everything, json: { ignore } };
  return differencesBetween(answer(user), answer(copy), diff).map(({ place }) => place);
}

test('the same answers do not differ, whatever they are', () => {
  check(
    property(jsonValue(), (json) => {
      const copy: unknown = structuredClone(json);
      assert.deepEqual(differencesBetween(answer(json), answer(copy), everything), []);
    }),
    { seed: 1 },
  );
});

test('a difference is found whichever of the two answers it is in, unless its place is ignored', () => {
  assert.deepEqual(places({ a: 1, b: [1, { c: 2 }] }, { a: 1, b: [1, { c: 3 }] }), ['$.b[1].c']);
  assert.deepEqual(places({ a: 1 }, { a: 1, extra: null }), ['$.extra']);
  assert.deepEqual(places({ a: 1, extra: null }, { a: 1 }), ['$.extra']);
  assert.deepEqual(places([1, 2], [1]), ['$[1]']);
  assert.deepEqual(places({ 'two words': 1 }, { 'two words': 2 }), ['$["two words"]']);
  assert.deepEqual(places({ a: [] }, { a: {} }), ['$.a']);
  assert.deepEqual(places(1, '1'), ['$']);
  assert.deepEqual(places({ time: 1, a: 1 }, { time: 2, a: 2 }, [['time']]), ['$.a']);
  assert.deepEqual(
    places({ items: [{ id: 1 }, { id: 2 }] }, { items: [{ id: 3 }, { id: 4 }] }, [['items', null, 'id']]),
    [],
  );
  assert.deepEqual(places({ a: { b: { c: 1 } } }, { a: { b: { c: 2 } } }, [['a']]), []);
});

test('what every object inherits is no part of a document', () => {
  assert.deepEqual(places({}, JSON.parse('{"toString":1}')), ['$.toString']);
  assert.deepEqual(places(JSON.parse('{"__proto__":1}'), {}), ['$.__proto__']);
});

test('statuses and headers are compared as the policy says, repeated headers as one', () => {
  const user = answer(undefined, { headers: ['x-a', '1', 'x-a', '2'] });
  const copy = answer(undefined, { status: 500, headers: ['x-a', '1, 2', 'content-type', 'text/html'] });
  assert.deepEqual(differencesBetween(user, copy, everything), [
    { kind: 'status', place: 'status', user: '200', copy: '500' },
    { kind: 'header', place: 'content-type', user: null, copy: 'text/html' },
  ]);
  assert.deepEqual(differencesBetween(user, copy, { status: false, headers: [], json: null }), []);
});

test('a body that is JSON in one answer only is a difference', () => {
  assert.deepEqual(differencesBetween(answer({ a: 1 }), answer(undefined), everything), [
    { kind: 'json', place: '$', user: '{"a":1}', copy: null },
  ]);
});

test('many differences are cut off and long values shortened', () => {
  const user = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, 'a'.repeat(1_000)]));
  const found = differencesBetween(answer(user), answer({}), everything);
  assert.equal(found.length, 20);
  assert.equal(found[0]!.user!.length, 121);
});
