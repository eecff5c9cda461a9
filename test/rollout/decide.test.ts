import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bucketOf } from '../../src/rollout/bucket.ts';
import { compileRollout } from '../../src/rollout/compiled-rollout.ts';
import { decide, type Decision } from '../../src/rollout/decide.ts';
import { maxUserBytes } from '../../src/rollout/identity.ts';
import type { Rollout, UserIdentity } from '../../src/rollout/policy.ts';
import { layOutSplit } from '../../src/rollout/split.ts';
import {
  anyOf,
  beta,
  buildFacts,
  buildRollout,
  buildRule,
  bytesOf,
  canary,
  type FactValues,
  issuedId,
  stable,
} from '../support/decisions.ts';

const decideFor = (changes: Partial<Rollout>, values: FactValues, rolledBack = false): Decision => {
  const rollout = buildRollout(changes);
  return decide(compileRollout(rollout), layOutSplit(rollout.versions, rollout.split, rolledBack), buildFacts(values));
};

/** A decision without its rollout, and with the version's name. */
const outline = ({ version, reason, rule, bucket, user, issueCookie }: Decision): unknown => ({
  version: version.name,
  reason,
  rule,
  bucket,
  user,
  issueCookie,
});

const asUser = (id: string): FactValues => ({ headers: { 'x-user-id': id } });
const identity = (changes: Partial<UserIdentity>): { user: UserIdentity } => ({
  user: { from: [{ kind: 'header', name: 'x-user-id' }], anonymous: 'cookie', jwt: null, ...changes },
});
const everyone = { split: { canary: 100 } };
const toBeta = { kind: 'use', version: beta } as const;

describe('a rolled-back rollout', () => {
  const rule = buildRule('testers', [{ on: 'user', matches: anyOf('u-1') }]);

  test('sends everyone to the baseline, rules included', () => {
    assert.deepEqual(outline(decideFor({ ...everyone, rules: [rule] }, asUser('u-1'), true)), {
      version: 'stable',
      reason: 'rolled-back',
      rule: null,
      bucket: null,
      user: 'u-1',
      issueCookie: false,
    });
  });

  test('issues no cookie', () => {
    const reads: string[] = [];
    const decision = decideFor(everyone, { reads }, true);
    assert.equal(decision.issueCookie, false);
    assert.equal(decision.user, null);
    assert.ok(!reads.includes('fresh ID'));
  });

  test('that is not rolled back follows the same rule to the candidate', () => {
    assert.equal(decideFor({ rules: [rule] }, asUser('u-1')).version, canary);
  });
});

describe('the rules', () => {
  const versions: Rollout['versions'] = [stable, canary, beta];

  test('the first that holds wins, whichever fact it is filed under', () => {
    const rules = [
      buildRule('never', [{ on: 'header', name: 'x-city', matches: anyOf('wuhan') }], toBeta),
      buildRule('city', [{ on: 'header', name: 'x-city', matches: anyOf('shenzhen') }], toBeta),
      buildRule('user', [{ on: 'user', matches: anyOf('u-1') }]),
      buildRule('all', []),
    ];
    const headers = { 'x-user-id': 'u-1', 'x-city': 'shenzhen' };
    const named = (order: readonly number[]): string | null =>
      decideFor({ versions, rules: order.map((i) => rules[i]!) }, { headers }).rule;
    assert.equal(named([0, 1, 2, 3]), 'city');
    assert.equal(named([0, 2, 1, 3]), 'user');
    assert.equal(named([3, 1, 2]), 'all');
  });

  test('a rule that names a version gives it without a bucket and says its name', () => {
    const rules = [buildRule('testers', [{ on: 'user', matches: anyOf('u-1') }], toBeta)];
    assert.deepEqual(outline(decideFor({ versions, rules }, asUser('u-1'))), {
      version: 'beta',
      reason: 'rule',
      rule: 'testers',
      bucket: null,
      user: 'u-1',
      issueCookie: false,
    });
  });

  test('a rule may send to the baseline', () => {
    const rules = [buildRule('keep', [{ on: 'user', matches: anyOf('u-1') }], { kind: 'use', version: stable })];
    assert.equal(decideFor({ ...everyone, rules }, asUser('u-1')).version, stable);
    assert.equal(decideFor({ ...everyone, rules }, asUser('u-2')).version, canary);
  });

  test('every condition of a rule must hold, any value of a condition may', () => {
    const rules = [
      buildRule('both', [
        { on: 'user', matches: anyOf('u-1', 'u-2') },
        { on: 'method', matches: anyOf('POST') },
      ]),
    ];
    const ruleFor = (id: string, method: string): string | null => decideFor({ rules }, { ...asUser(id), method }).rule;
    assert.equal(ruleFor('u-1', 'POST'), 'both');
    assert.equal(ruleFor('u-2', 'POST'), 'both');
    assert.equal(ruleFor('u-2', 'GET'), null);
    assert.equal(ruleFor('u-3', 'POST'), null);
  });

  test("a rule's own split uses the rollout's bucket", () => {
    const rules = [
      buildRule('city', [{ on: 'header', name: 'x-city', matches: anyOf('shenzhen') }], {
        kind: 'split',
        split: { canary: 50 },
      }),
    ];
    for (let i = 0; i < 200; i += 1) {
      const inCity = decideFor({ rules }, { headers: { 'x-user-id': `u-${i}`, 'x-city': 'shenzhen' } });
      const outside = decideFor({ rules }, asUser(`u-${i}`));
      assert.equal(inCity.bucket, outside.bucket);
      assert.equal(inCity.reason, 'rule');
      assert.equal(inCity.version, inCity.bucket! < 5_000 ? canary : stable);
      assert.equal(outside.version, outside.bucket! < 1_000 ? canary : stable);
    }
  });

  const splitForAll = [buildRule('all', [], { kind: 'split', split: { canary: 100 } })];

  test("a rule's split for a request without an ID issues the cookie where `anonymous` is cookie", () => {
    assert.deepEqual(outline(decideFor({ split: {}, rules: splitForAll }, {})), {
      version: 'canary',
      reason: 'rule',
      rule: 'all',
      bucket: bucketOf('shop:', issuedId),
      user: issuedId,
      issueCookie: true,
    });
  });

  test("a rule's split for a request without an ID gives the baseline where `anonymous` is baseline", () => {
    const decision = decideFor({ ...identity({ anonymous: 'baseline' }), rules: splitForAll }, {});
    assert.deepEqual(outline(decision), {
      version: 'stable',
      reason: 'rule',
      rule: 'all',
      bucket: null,
      user: null,
      issueCookie: false,
    });
  });

  test("a rule's split for a request without an ID goes by the address where `anonymous` is ip", () => {
    const decision = decideFor({ ...identity({ anonymous: 'ip' }), rules: splitForAll }, { ip: '192.0.2.9' });
    assert.equal(decision.version, canary);
    assert.equal(decision.user, '192.0.2.9');
    assert.equal(decision.reason, 'rule');
  });

  test('a rule that names a version issues no cookie to a request without an ID', () => {
    const decision = decideFor({ rules: [buildRule('all', [])] }, {});
    assert.equal(decision.issueCookie, false);
    assert.equal(decision.user, null);
  });

  test('a user condition sees the ID that graygate issued', () => {
    const rules = [buildRule('known', [{ on: 'user', matches: anyOf(issuedId) }])];
    assert.equal(decideFor({ rules }, { cookies: { graygate_uid: issuedId } }).rule, 'known');
    assert.equal(decideFor({ rules }, {}).rule, null);
  });
});

const bucketsWith = (salt: string): (number | null)[] =>
  Array.from({ length: 20 }, (_, i) => decideFor({ salt }, asUser(`u-${i}`)).bucket);

describe('the user ID', () => {
  const from: UserIdentity['from'] = [
    { kind: 'header', name: 'x-user-id' },
    { kind: 'cookie', name: 'uid' },
    { kind: 'query', name: 'uid' },
    { kind: 'jwt', claim: 'sub' },
    { kind: 'ip' },
  ];
  const all = {
    headers: { 'x-user-id': 'h' },
    cookies: { uid: 'c' },
    queries: { uid: 'q' },
    claims: { sub: 'j' },
    ip: '192.0.2.7',
  };
  const rows: readonly (readonly [sentence: string, values: FactValues, user: string])[] = [
    ['comes from the first source', all, 'h'],
    ['comes from the next source where one is absent', { ...all, headers: {} }, 'c'],
    ['comes from the next source where one is empty', { ...all, headers: { 'x-user-id': '' } }, 'c'],
    ['comes from the query where header and cookie are absent', { ...all, headers: {}, cookies: {} }, 'q'],
    ['comes from a claim', { ...all, headers: {}, cookies: {}, queries: {} }, 'j'],
    ['comes from the address at last', { ip: '192.0.2.7' }, '192.0.2.7'],
    ['may be as long as the limit', { ...all, ...asUser('x'.repeat(maxUserBytes)) }, 'x'.repeat(maxUserBytes)],
    ['counts as absent beyond the limit', { ...all, ...asUser('x'.repeat(maxUserBytes + 1)) }, 'c'],
  ];
  for (const [sentence, values, user] of rows) {
    test(sentence, () => {
      const decision = decideFor(identity({ from }), values);
      assert.equal(decision.user, user);
      assert.equal(decision.reason, 'split');
      assert.equal(decision.bucket, bucketOf('shop:', user));
      assert.equal(decision.issueCookie, false);
    });
  }

  test('lands in one bucket by header bytes, cookie and query', () => {
    const id = bytesOf('张三');
    const decisions = [{ headers: { 'x-user-id': id } }, { cookies: { uid: id } }, { queries: { uid: id } }].map(
      (values) => decideFor(identity({ from }), values),
    );
    assert.deepEqual(new Set(decisions.map(({ bucket }) => bucket)), new Set([bucketOf('shop:', id)]));
  });

  test('with another salt falls elsewhere', () => {
    assert.notDeepEqual(bucketsWith('a'), bucketsWith('b'));
  });
});

describe('a request without a user ID', () => {
  test('gets a fresh ID as a cookie where `anonymous` is cookie', () => {
    assert.deepEqual(outline(decideFor(everyone, {})), {
      version: 'canary',
      reason: 'anonymous',
      rule: null,
      bucket: bucketOf('shop:', issuedId),
      user: issuedId,
      issueCookie: true,
    });
  });

  test('is known by that cookie from then on, in the same bucket', () => {
    assert.deepEqual(outline(decideFor(everyone, { cookies: { graygate_uid: issuedId } })), {
      version: 'canary',
      reason: 'split',
      rule: null,
      bucket: bucketOf('shop:', issuedId),
      user: issuedId,
      issueCookie: false,
    });
  });

  for (const forged of ['', 'admin', issuedId.toUpperCase(), `${issuedId}0`, issuedId.slice(1), `${issuedId}\n`]) {
    test(`is not known by ${JSON.stringify(forged)}, which graygate never issues`, () => {
      const decision = decideFor(everyone, { cookies: { graygate_uid: forged } });
      assert.equal(decision.reason, 'anonymous');
      assert.equal(decision.user, issuedId);
      assert.equal(decision.issueCookie, true);
    });
  }

  test('is not known by an issued cookie where `anonymous` is something else', () => {
    const decision = decideFor(identity({ anonymous: 'baseline' }), { cookies: { graygate_uid: issuedId } });
    assert.equal(decision.user, null);
  });

  test('goes by its own ID before the issued cookie', () => {
    const decision = decideFor(everyone, { ...asUser('u-1'), cookies: { graygate_uid: issuedId } });
    assert.equal(decision.user, 'u-1');
  });

  test('gets the baseline where `anonymous` is baseline', () => {
    assert.deepEqual(outline(decideFor({ ...everyone, ...identity({ anonymous: 'baseline' }) }, {})), {
      version: 'stable',
      reason: 'anonymous',
      rule: null,
      bucket: null,
      user: null,
      issueCookie: false,
    });
  });

  test('goes by its address where `anonymous` is ip', () => {
    assert.deepEqual(outline(decideFor({ ...everyone, ...identity({ anonymous: 'ip' }) }, { ip: '192.0.2.5' })), {
      version: 'canary',
      reason: 'anonymous',
      rule: null,
      bucket: bucketOf('shop:', '192.0.2.5'),
      user: '192.0.2.5',
      issueCookie: false,
    });
  });

  test('gets the baseline where `anonymous` is ip and the address is unknown', () => {
    const decision = decideFor({ ...everyone, ...identity({ anonymous: 'ip' }) }, { ip: '' });
    assert.equal(decision.version, stable);
    assert.equal(decision.bucket, null);
  });
});

const needsClaims = (changes: Partial<Rollout>): boolean => compileRollout(buildRollout(changes)).needsClaims;

describe('reading facts', () => {
  test('reads each fact at most once, whatever asks for it', () => {
    const reads: string[] = [];
    const city = { on: 'header', name: 'x-city', matches: { kind: 'prefix', text: 'b' } } as const;
    const rules = [
      buildRule('same header as the ID', [{ on: 'header', name: 'x-user-id', matches: anyOf('nobody') }]),
      buildRule('same cookie as the ID', [{ on: 'cookie', name: 'graygate_uid', matches: anyOf('nobody') }]),
      buildRule('city', [city]),
      buildRule('city again', [city, { on: 'path', prefixes: ['/x'] }]),
      buildRule('below', [{ on: 'path', prefixes: ['/y'] }]),
      buildRule('address', [{ on: 'ip', within: { has: () => false } }]),
    ];
    decideFor({ ...identity({ anonymous: 'ip' }), rules }, { reads });
    assert.deepEqual(reads.toSorted(), [...new Set(reads)].toSorted());
    assert.ok(reads.includes('header x-city') && reads.includes('header x-user-id') && reads.includes('ip'));
  });

  test('reads nothing that no rule and no source names', () => {
    const reads: string[] = [];
    decideFor({}, { ...asUser('u-1'), reads });
    assert.deepEqual(reads, ['header x-user-id']);
  });

  test('a rollout needs claims exactly where a token can be verified and a claim decides', () => {
    const jwt = { key: { kind: 'secret', secret: 's' }, issuer: null, audience: null } as const;
    const bySubject: UserIdentity['from'] = [{ kind: 'jwt', claim: 'sub' }];
    const byPlan = buildRule('plan', [{ on: 'jwt', name: 'plan', matches: anyOf('pro') }]);
    assert.equal(needsClaims({}), false);
    assert.equal(needsClaims(identity({ jwt })), false);
    assert.equal(needsClaims(identity({ from: bySubject })), false);
    assert.equal(needsClaims(identity({ from: bySubject, jwt })), true);
    assert.equal(needsClaims({ ...identity({ jwt }), rules: [byPlan] }), true);
  });
});
