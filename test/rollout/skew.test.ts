import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRollout } from '../../src/rollout/compiled-rollout.ts';
import { decide } from '../../src/rollout/decide.ts';
import { explainRollout } from '../../src/rollout/explain.ts';
import { layOutSplit } from '../../src/rollout/split.ts';
import { buildRollout, buildFacts, type FactValues } from '../support/decisions.ts';

const rollout = buildRollout({ skew: { assets: ['/assets'] } });
const compiled = compileRollout(rollout);
const toCanary = layOutSplit(rollout.versions, { canary: 100 });
const toBaseline = layOutSplit(rollout.versions, { canary: 0 });

function decided(facts: FactValues, split = toBaseline): string {
  const { version, reason } = decide(compiled, split, buildFacts(facts));
  const explained = explainRollout(compiled, split, buildFacts(facts)).decision!;
  assert.deepEqual([explained.version, explained.reason], [version.name, reason], 'explain is of the same opinion');
  return `${version.name} (${reason})`;
}

const app = '/assets/app.js';
const user = { 'x-user-id': 'u-1' };

test('an asset comes from the version that its page names, in the address or by the cookie', () => {
  const byCookie = { path: app, headers: user, cookies: { 'x-graygate-version': 'canary' } };
  assert.equal(decided(byCookie), 'canary (skew)');
  const referer = 'https://shop.example.com/item?a=1&x-graygate-version=canary#top';
  assert.equal(decided({ path: app, headers: { ...user, referer } }), 'canary (skew)');
  const both = { ...byCookie, headers: { ...user, referer: 'http://s/?x-graygate-version=stable' } };
  assert.equal(decided(both, toCanary), 'stable (skew)');
});

test('other requests are decided by themselves', () => {
  const cookies = { 'x-graygate-version': 'canary' };
  assert.equal(decided({ path: '/item', headers: user, cookies }), 'stable (split)');
  assert.equal(decided({ path: '/assets-old', headers: user, cookies }), 'stable (split)');
  assert.equal(decided({ path: app, method: 'POST', headers: user, cookies }), 'stable (split)');
  assert.equal(decided({ path: app, headers: user }), 'stable (split)');
  assert.equal(decided({ path: app, headers: user, cookies: { 'x-graygate-version': 'gone' } }), 'stable (split)');
  const off = compileRollout(buildRollout());
  assert.equal(decide(off, toBaseline, buildFacts({ path: app, headers: user, cookies })).reason, 'split');
});

test('an asset by its page is in no bucket and gets no cookie, and a rollback comes first', () => {
  const facts = buildFacts({ path: app, cookies: { 'x-graygate-version': 'canary' } });
  const { bucket, rule, issueCookie } = decide(compiled, toBaseline, facts);
  assert.deepEqual([bucket, rule, issueCookie], [null, null, false]);
  const rolledBack = layOutSplit(rollout.versions, {}, true);
  assert.equal(decide(compiled, rolledBack, facts).reason, 'rolled-back');
});
