import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { compileRollout } from '../../src/rollout/compiled-rollout.ts';
import { decide } from '../../src/rollout/decide.ts';
import type { PercentByVersion, Rollout } from '../../src/rollout/policy.ts';
import { layOutSplit } from '../../src/rollout/split.ts';
import { arbitraryFacts, arbitraryRollout } from '../support/arbitrary-decisions.ts';
import { beta, buildFacts, buildRollout, bytesOf, canary, stable } from '../support/decisions.ts';
import { decideNaively } from '../support/naive-decision.ts';

const users = Array.from({ length: 20_000 }, (_, i) => (i % 3 === 0 ? bytesOf(`用户${i}`) : `user-${i}`));

/** Names of the versions that users get, in the order of `ids`. */
const versionsOf = (ids: readonly string[], split: PercentByVersion, changes: Partial<Rollout> = {}): string[] => {
  const rollout = buildRollout({ split, ...changes });
  const compiled = compileRollout(rollout);
  const inForce = layOutSplit(rollout.versions, split);
  return ids.map((id) => decide(compiled, inForce, buildFacts({ headers: { 'x-user-id': id } })).version.name);
};

const countOf = (names: readonly string[], name: string): number => names.filter((each) => each === name).length;

describe('decide', () => {
  test('answers what trying every rule in order answers', () => {
    const reasons = new Map<string, number>();
    fc.assert(
      fc.property(
        arbitraryRollout,
        fc.array(arbitraryFacts, { minLength: 1, maxLength: 10 }),
        fc.integer({ min: 0, max: 9 }).map((digit) => digit === 0),
        (rollout, requests, rolledBack) => {
          const compiled = compileRollout(rollout);
          const split = layOutSplit(rollout.versions, rollout.split, rolledBack);
          for (const values of requests) {
            const facts = buildFacts(values);
            const { rollout: decided, version, ...rest } = decide(compiled, split, facts);
            const expected = decideNaively(rollout, { percentOf: rollout.split, rolledBack }, facts);
            assert.equal(decided, rollout);
            assert.deepEqual({ ...rest, version: version.name }, expected);
            reasons.set(expected.reason, (reasons.get(expected.reason) ?? 0) + 1);
          }
        },
      ),
      { seed: 21, numRuns: 1_500 },
    );
    // The comparison is worth something only if every way out was taken often.
    for (const reason of ['rolled-back', 'rule', 'anonymous', 'split', 'holdout', 'layer']) {
      assert.ok((reasons.get(reason) ?? 0) > 200, reason);
    }
  });

  test('reads each fact at most once, whatever the rules are', () => {
    fc.assert(
      fc.property(arbitraryRollout, arbitraryFacts, (rollout, values) => {
        const reads: string[] = [];
        const split = layOutSplit(rollout.versions, rollout.split);
        decide(compileRollout(rollout), split, buildFacts({ ...values, reads }));
        assert.equal(new Set(reads).size, reads.length);
      }),
      { seed: 22, numRuns: 1_000 },
    );
  });
});

describe('the split', () => {
  test('of 20 % gets 20 % of 20,000 users within five standard deviations', () => {
    const count = countOf(versionsOf(users, { canary: 20 }), 'canary');
    assert.ok(Math.abs(count - 4_000) < 5 * Math.sqrt(20_000 * 0.2 * 0.8), `expected about 4000 users, got ${count}`);
  });

  test('gives one user the same version each time', () => {
    assert.deepEqual(versionsOf(users, { canary: 20 }), versionsOf(users, { canary: 20 }));
  });

  test('raised from 20 % to 40 % keeps every user of the candidate', () => {
    const before = versionsOf(users, { canary: 20 });
    const after = versionsOf(users, { canary: 40 });
    assert.deepEqual(
      before.filter((name, i) => name === 'canary' && after[i] !== 'canary'),
      [],
    );
    assert.ok(countOf(after, 'canary') > countOf(before, 'canary') + 3_000);
  });

  test('of one candidate, raised to any percent, only adds users to it', () => {
    const percent = fc.integer({ min: 0, max: 10_000 }).map((hundredths) => hundredths / 100);
    const some = users.slice(0, 500);
    fc.assert(
      fc.property(percent, percent, (one, other) => {
        const fewer = versionsOf(some, { canary: Math.min(one, other) });
        const more = versionsOf(some, { canary: Math.max(one, other) });
        assert.ok(fewer.every((name, i) => name === 'stable' || more[i] === 'canary'));
      }),
      { seed: 23, numRuns: 60 },
    );
  });

  test('gives nobody and everybody at 0 and 100 %', () => {
    assert.equal(countOf(versionsOf(users, { canary: 0 }), 'canary'), 0);
    assert.equal(countOf(versionsOf(users, { canary: 100 }), 'canary'), 20_000);
  });

  test('gives candidates consecutive ranges in listed order, the baseline the rest', () => {
    const versions: Rollout['versions'] = [stable, canary, beta];
    const names = versionsOf(users, { beta: 30, canary: 20 }, { versions });
    const compiled = compileRollout(buildRollout({ versions }));
    for (const [i, id] of users.entries()) {
      const { bucket } = decide(compiled, layOutSplit(versions, {}), buildFacts({ headers: { 'x-user-id': id } }));
      assert.equal(names[i], bucket! < 2_000 ? 'canary' : bucket! < 5_000 ? 'beta' : 'stable');
    }
  });

  test('is drawn anew with another salt', () => {
    const both = [versionsOf(users, { canary: 50 }), versionsOf(users, { canary: 50 }, { salt: 'other' })] as const;
    const kept = both[0].filter((name, i) => name === both[1][i]).length;
    assert.ok(
      Math.abs(kept - 10_000) < 5 * Math.sqrt(20_000 * 0.25),
      `expected about 10000 users to stay, got ${kept}`,
    );
  });
});
