// The keys that say how servers are used: what they mean, and what is said of those that mean nothing.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { defaultServing } from '../support/default-serving.ts';
import { loadText, policyIn } from './policy-folder.ts';
import type { Serving } from '../../src/rollout/serving.ts';

const textOf = (keys: string): string => `version: 1
listen: 127.0.0.1:0
rollouts:
  - name: shop
    versions:
      stable: { servers: http://a${keys === '' ? '' : `, ${keys}`} }
      canary: { servers: http://b }
`;

test('a version that says nothing gets the defaults', async (t) => {
  const policy = await policyIn(t, textOf(''));
  for (const { serving } of policy.rollouts[0]!.versions) assert.deepEqual(serving, defaultServing);
});

suite('each key is read', () => {
  const rows: [keys: string, serving: Partial<Serving>][] = [
    ['balance: least-requests', { balance: 'least-requests' }],
    ['balance: hash', { balance: 'hash' }],
    [
      'health: { path: /healthz }',
      { health: { path: '/healthz', everyMs: 5_000, timeoutMs: 1_000, unhealthyAfter: 3, healthyAfter: 2 } },
    ],
    [
      'health: { path: "/h?a=b", every: 1m, timeout: 20ms, unhealthyAfter: 1, healthyAfter: 9 }',
      { health: { path: '/h?a=b', everyMs: 60_000, timeoutMs: 20, unhealthyAfter: 1, healthyAfter: 9 } },
    ],
    [
      'eject: { after: 2, within: 1s, for: 5s, max: 100 }',
      { eject: { after: 2, withinMs: 1_000, forMs: 5_000, maxPercent: 100 } },
    ],
    ['eject: { max: 0 }', { eject: { ...defaultServing.eject, maxPercent: 0 } }],
    ['slowStart: 30s', { slowStartMs: 30_000 }],
    ['retries: { attempts: 0 }', { retries: { ...defaultServing.retries, attempts: 0 } }],
    [
      'retries: { attempts: "3", on: [timeout, 500, "599"], budget: "12.5%", perTry: 250ms }',
      { retries: { attempts: 3, on: new Set(['timeout', '500', '599']), budgetPercent: 12.5, perTryMs: 250 } },
    ],
    ['retries: { on: connect }', { retries: { ...defaultServing.retries, on: new Set(['connect']) } }],
    ['limits: { maxRequests: 10 }', { limits: { maxRequestCount: 10, maxPendingCount: Infinity } }],
    ['limits: { maxRequests: 1, maxPending: 0 }', { limits: { maxRequestCount: 1, maxPendingCount: 0 } }],
  ];
  for (const [keys, serving] of rows) {
    test(keys, async (t) => {
      const policy = await policyIn(t, textOf(keys));
      assert.deepEqual(policy.rollouts[0]!.versions[0].serving, { ...defaultServing, ...serving });
    });
  }
});

suite('what means nothing is refused at its place', () => {
  const rows: [keys: string, problem: string][] = [
    ['balance: random', 'balance: "random" is not one of round-robin, least-requests, hash'],
    ['health: {}', 'health.path: is missing; expected a path such as /healthz'],
    ['health: { path: healthz }', 'health.path: "healthz" is not a path that can be asked for; write a path'],
    ['health: { path: "/a b" }', 'health.path: "/a b" is not a path that can be asked for'],
    ['health: { path: /, every: 0ms }', 'health.every: "0ms" is out of range'],
    ['eject: { after: 0 }', 'eject.after: 0 is not a whole number of at least 1'],
    ['eject: { max: 101 }', 'eject.max: 101 is not between 0 and 100 percent'],
    ['slowStart: 30', 'slowStart: 30 is not a duration'],
    ['retries: { attempts: 11 }', 'retries.attempts: 11 is not a whole number from 0 to 10'],
    ['retries: { attempts: -1 }', 'retries.attempts: -1 is not a whole number from 0 to 10'],
    ['retries: { on: [404] }', 'retries.on[0]: 404 is not a reason to try again; write connect, reset, timeout'],
    ['limits: { maxRequests: 0 }', 'limits.maxRequests: 0 is not a whole number of at least 1; or write unlimited'],
    ['limits: { maxPending: none }', 'limits.maxPending: "none" is not a whole number; or write unlimited'],
  ];
  for (const [keys, problem] of rows) {
    test(keys, async (t) => {
      const { lines } = await loadText(t, textOf(keys));
      assert.equal(lines.length, 1, lines.join('\n'));
      const [said] = lines.map((line) => line.replace(/^p\.yaml:6:\d+: /, ''));
      assert.ok(said!.startsWith(`rollouts[0].versions.stable.${problem}`), said);
    });
  }
});

test('how servers are used is no release: the release stays the same', async (t) => {
  const releases = ['', 'balance: hash', 'eject: { max: 0 }, slowStart: 1s'].map(async (keys) => {
    const text = textOf('').replace('canary: { servers: http://b', `canary: { servers: http://b${keys && `, ${keys}`}`);
    return (await policyIn(t, text)).rollouts[0]!.staging.release;
  });
  const [first, ...others] = await Promise.all(releases);
  assert.deepEqual(others, [first, first]);
});
