import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { compileRollout } from '../../src/rollout/compiled-rollout.ts';
import { readable } from '../../src/rollout/condition-text.ts';
import { decide } from '../../src/rollout/decide.ts';
import { explain, explainRollout, type Step } from '../../src/rollout/explain.ts';
import { compileRollouts } from '../../src/rollout/matching.ts';
import type { Rollout } from '../../src/rollout/policy.ts';
import { layOutSplit, type Split } from '../../src/rollout/split.ts';
import { arbitraryFacts, arbitraryRollout } from '../support/arbitrary-decisions.ts';
import { anyOf, buildFacts, buildRollout, buildRule, bytesOf, type FactValues } from '../support/decisions.ts';

const splitOf = (rollout: Rollout): Split => layOutSplit(rollout.versions, rollout.split);

const explainFor = (changes: Partial<Rollout>, values: FactValues): ReturnType<typeof explain> =>
  explain(compileRollouts({ rollouts: [buildRollout(changes)] }), splitOf, buildFacts(values));

const stepOf = <Name extends Step['step']>(steps: readonly Step[], name: Name): Extract<Step, { step: Name }> => {
  const found = steps.find((step): step is Extract<Step, { step: Name }> => step.step === name);
  assert.ok(found, `expected a step "${name}"`);
  return found;
};

describe('explain', () => {
  test('agrees with decide, whatever the rollout and the request are', () => {
    fc.assert(
      fc.property(arbitraryRollout, arbitraryFacts, fc.boolean(), (rollout, values, rolledBack) => {
        const split = layOutSplit(rollout.versions, rollout.split, rolledBack);
        const compiled = compileRollout(rollout);
        const decision = decide(compiled, split, buildFacts(values));
        assert.deepEqual(explainRollout(compiled, split, buildFacts(values)).decision, {
          ...decision,
          rollout: decision.rollout.name,
          version: decision.version.name,
          user: decision.user === null ? null : readable(decision.user),
        });
      }),
      { seed: 31, numRuns: 2_000 },
    );
  });

  test('is plain: it survives JSON', () => {
    const explanation = explainFor({}, {});
    assert.deepEqual(JSON.parse(JSON.stringify(explanation)), explanation);
  });

  test('shows each rollout that was tried and which pattern fitted', () => {
    const rollouts = [
      buildRollout({ name: 'other', match: { hosts: [{ kind: 'exact', host: 'other.com' }], paths: [] } }),
      buildRollout({
        name: 'item',
        match: { hosts: [{ kind: 'suffix', suffix: '.example.com' }], paths: ['/cart', '/item'] },
      }),
      buildRollout({ name: 'later' }),
    ];
    const { steps, decision } = explain(compileRollouts({ rollouts }), splitOf, buildFacts({ path: '/item/1' }));
    assert.deepEqual(steps[0], {
      step: 'match',
      host: 'shop.example.com',
      path: '/item/1',
      tried: [
        { rollout: 'other', host: null, path: '/' },
        { rollout: 'item', host: '*.example.com', path: '/item' },
      ],
    });
    assert.equal(decision?.rollout, 'item');
  });

  test('ends with no decision where no rollout takes the request', () => {
    const { steps, decision } = explainFor({ match: { hosts: [], paths: ['/item'] } }, { path: '/' });
    assert.equal(decision, null);
    assert.deepEqual(steps, [
      { step: 'match', host: 'shop.example.com', path: '/', tried: [{ rollout: 'shop', host: '*', path: null }] },
    ]);
  });

  test('shows what each identity source gave, up to the one that was used', () => {
    const user: Rollout['user'] = {
      from: [
        { kind: 'header', name: 'x-user-id' },
        { kind: 'cookie', name: 'uid' },
        { kind: 'query', name: 'uid' },
        { kind: 'ip' },
      ],
      anonymous: 'cookie',
      jwt: null,
    };
    const values = { cookies: { uid: '' }, queries: { uid: bytesOf('张三') } };
    assert.deepEqual(stepOf(explainFor({ user }, values).steps, 'identity'), {
      step: 'identity',
      tried: [
        { source: 'header:x-user-id', value: null, outcome: 'absent' },
        { source: 'cookie:uid', value: '', outcome: 'empty' },
        { source: 'query:uid', value: '张三', outcome: 'used' },
      ],
      user: '张三',
    });
  });

  test('shows a cookie that graygate did not issue', () => {
    const { tried, user } = stepOf(explainFor({}, { cookies: { graygate_uid: 'me' } }).steps, 'identity');
    assert.deepEqual(tried.at(-1), { source: 'cookie:graygate_uid', value: 'me', outcome: 'not-issued' });
    assert.equal(user, null);
  });

  test('shows which condition of which rule did not hold', () => {
    const rules = [
      buildRule('testers', [
        { on: 'user', matches: anyOf('u-1', 'u-2') },
        { on: 'ip', within: { has: () => false } },
      ]),
      buildRule('city', [{ on: 'header', name: 'x-city', matches: anyOf('深圳') }]),
      buildRule('not reached', []),
    ];
    const headers = { 'x-user-id': 'u-1', 'x-city': bytesOf('深圳') };
    const { steps, decision } = explainFor({ rules }, { headers });
    assert.deepEqual(stepOf(steps, 'rules'), {
      step: 'rules',
      tried: [
        {
          rule: 'testers',
          holds: false,
          conditions: [
            { condition: 'user is u-1 or u-2', value: 'u-1', holds: true },
            { condition: 'ip is in the listed ranges', value: '192.0.2.1', holds: false },
          ],
        },
        {
          rule: 'city',
          holds: true,
          conditions: [{ condition: 'header:x-city is 深圳', value: '深圳', holds: true }],
        },
      ],
      rule: 'city',
    });
    assert.equal(decision?.rule, 'city');
  });

  test('describes every kind of condition in words', () => {
    const header = { on: 'header', name: 'x' } as const;
    const many = anyOf(...Array.from({ length: 1_000 }, (_, i) => `u-${i}`));
    const pattern = { source: '^v[0-9]+$', test: () => false };
    const rules = [
      buildRule('all', [
        { on: 'user', matches: many },
        { ...header, matches: { kind: 'prefix', text: 'p' } },
        { ...header, matches: { kind: 'suffix', text: 's' } },
        { ...header, matches: { kind: 'contains', text: 'c' } },
        { ...header, matches: { kind: 'pattern', pattern } },
        { ...header, matches: { kind: 'exists', expected: true } },
        { ...header, matches: { kind: 'exists', expected: false } },
        { on: 'method', matches: anyOf('GET') },
        { on: 'path', prefixes: ['/a', '/b'] },
      ]),
    ];
    const [tried] = stepOf(explainFor({ rules }, {}).steps, 'rules').tried;
    assert.deepEqual(
      tried?.conditions.map(({ condition }) => condition),
      [
        'user is one of 1000 values',
        'header:x starts with p',
        'header:x ends with s',
        'header:x contains c',
        'header:x matches /^v[0-9]+$/',
        'header:x is present',
        'header:x is absent',
        'method is GET',
        'path is within /a or /b',
      ],
    );
  });

  test('shows the arithmetic of the bucket and whose range it is in', () => {
    const { steps, decision } = explainFor(
      { salt: 'product-page' },
      { headers: { 'x-user-id': bytesOf('日本語ユーザー') } },
    );
    assert.deepEqual(stepOf(steps, 'bucket'), {
      step: 'bucket',
      splitOf: 'rollout',
      hashed: 'product-page:日本語ユーザー',
      hash: 3_873_934_212,
      bucket: 4_212,
      ranges: [
        { version: 'canary', from: 0, below: 1_000 },
        { version: 'stable', from: 1_000, below: 10_000 },
      ],
      version: 'stable',
    });
    assert.equal(decision?.bucket, 4_212);
  });

  test('shows what a request without an ID was given', () => {
    const { steps } = explainFor({ user: { from: [], anonymous: 'ip', jwt: null } }, { ip: '192.0.2.3' });
    assert.deepEqual(stepOf(steps, 'anonymous'), { step: 'anonymous', gets: 'ip', user: '192.0.2.3' });
  });

  test('stops after a rolled-back rollout', () => {
    const compiled = compileRollout(buildRollout());
    const split = layOutSplit(compiled.rollout.versions, {}, true);
    const { steps, decision } = explainRollout(compiled, split, buildFacts());
    assert.deepEqual(
      steps.map(({ step }) => step),
      ['identity', 'rolled-back'],
    );
    assert.equal(decision?.reason, 'rolled-back');
  });
});

describe('readable', () => {
  test('shows bytes as the text they stand for', () => assert.equal(readable(bytesOf('灰度 🧪')), '灰度 🧪'));
  test('marks bytes that are not UTF-8', () => assert.equal(readable('a\xffb'), 'a\ufffdb'));
});
