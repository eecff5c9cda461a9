// The matcher finds what trying every rule in order would find.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { EventMatcher } from '../../../src/gateway/events/event-matcher.ts';
import { isPathWithin } from '../../../src/rollout/path.ts';
import { eventOf } from '../../support/experiments.ts';

const methods = fc.subarray(['GET', 'POST', 'PUT']);
const paths = fc.subarray(['', '/a', '/a/b', '/a/b/c', '/b']);
const rules = fc.array(fc.record({ methods, paths }), { maxLength: 8 });
const requests = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  path: fc.constantFrom('/', '/a', '/ab', '/a/b', '/a/b/', '/a/b/c/d', '/b/a', '*'),
});

test('the rules that fit a request are found, each once, and none else', () => {
  const property = fc.property(rules, requests, (sketches, { method, path }) => {
    const items = sketches.map((sketch, i) => ({ rule: eventOf(`e-${i}`, sketch) }));
    const expected = items.filter(
      ({ rule }) =>
        (rule.methods.length === 0 || rule.methods.includes(method)) &&
        (rule.paths.length === 0 || rule.paths.some((prefix) => isPathWithin(path, prefix))),
    );
    const found = new EventMatcher(items).fitting(method, path) ?? [];
    assert.deepEqual(new Set(found), new Set(expected));
    assert.equal(found.length, expected.length);
  });
  fc.assert(property, { seed: 7, numRuns: 5_000 });
});
