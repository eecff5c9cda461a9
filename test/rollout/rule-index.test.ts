import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileRollout } from '../../src/rollout/compiled-rollout.ts';
import { decide } from '../../src/rollout/decide.ts';
import type { Condition, Rule } from '../../src/rollout/rule.ts';
import { layOutSplit } from '../../src/rollout/split.ts';
import { anyOf, buildFacts, buildRollout, buildRule, type FactValues } from '../support/decisions.ts';

const ruleFor = (rules: readonly Rule[], values: FactValues): string | null => {
  const rollout = buildRollout({ rules });
  return decide(compileRollout(rollout), layOutSplit(rollout.versions, {}), buildFacts(values)).rule;
};

/** A list that counts how often it is asked and walked through. */
class CountedList extends Set<string> {
  asked = 0;
  walked = 0;

  override has(value: string): boolean {
    this.asked += 1;
    return super.has(value);
  }

  override [Symbol.iterator](): SetIterator<string> {
    this.walked += 1;
    return super[Symbol.iterator]();
  }
}

const longList = (...extra: string[]): CountedList => {
  const list = new CountedList();
  for (const value of [...Array.from({ length: 2_000 }, (_, i) => `filler-${i}`), ...extra]) list.add(value);
  return list;
};

const onUser = (values: ReadonlySet<string>): Condition => ({ on: 'user', matches: { kind: 'any-of', values } });
const asUser = (id: string, method = 'GET'): FactValues => ({ method, headers: { 'x-user-id': id } });

describe('the rule index', () => {
  test('asks one long list once, however many rules share it', () => {
    const list = longList('u-1');
    const rules = ['PUT', 'POST', 'GET'].map((method) =>
      buildRule(method, [onUser(list), { on: 'method', matches: anyOf(method) }]),
    );
    assert.equal(ruleFor(rules, asUser('u-1')), 'GET');
    assert.equal(list.asked, 1);
    assert.equal(ruleFor(rules, asUser('u-1', 'POST')), 'POST');
    assert.equal(ruleFor(rules, asUser('u-2')), null);
  });

  test('asks at most eight long lists and looks up the others in one map', () => {
    const lists = Array.from({ length: 20 }, () => longList('u-1'));
    const rules = lists.map((list, i) =>
      buildRule(`list ${i}`, [onUser(list), { on: 'method', matches: anyOf('POST') }]),
    );
    assert.equal(ruleFor(rules, asUser('u-1')), null);
    assert.equal(
      lists.reduce((sum, { asked }) => sum + asked, 0),
      8,
    );
    assert.equal(ruleFor(rules, asUser('u-1', 'POST')), 'list 0');
  });

  test('does not ask a long list for most users that it does not hold', () => {
    const list = longList('u-1');
    const rollout = buildRollout({ rules: [buildRule('list', [onUser(list)])] });
    const compiled = compileRollout(rollout);
    const split = layOutSplit(rollout.versions, {});
    for (let i = 0; i < 1_000; i += 1) decide(compiled, split, buildFacts(asUser(`other-${i}`)));
    assert.ok(list.asked < 250, `expected fewer than 250 of 1000, got ${list.asked}`);
    assert.equal(list.walked, 1);
  });

  test('asks each address range once for an address, and again when thousands were seen since', () => {
    let asked = 0;
    const within = {
      has: (ip: string): boolean => {
        asked += 1;
        return ip === '192.0.2.1';
      },
    };
    const rollout = buildRollout({ rules: [buildRule('near', [{ on: 'ip', within }])] });
    const compiled = compileRollout(rollout);
    const split = layOutSplit(rollout.versions, {});
    const ruleAt = (ip: string): string | null => decide(compiled, split, buildFacts({ ip })).rule;
    assert.deepEqual([ruleAt('192.0.2.1'), ruleAt('192.0.2.2'), ruleAt('192.0.2.1')], ['near', null, 'near']);
    assert.equal(asked, 2);
    for (let i = 0; i < 20_000; i += 1) ruleAt(`10.0.${i >> 8}.${i & 255}`);
    asked = 0;
    assert.equal(ruleAt('192.0.2.1'), 'near');
    assert.equal(asked, 1);
  });

  test('an empty list of values or of paths fits nothing', () => {
    const empty: readonly Condition[] = [onUser(new Set()), { on: 'path', prefixes: [] }];
    for (const condition of empty) assert.equal(ruleFor([buildRule('empty', [condition])], asUser('u-1')), null);
  });
});
