// Who takes part: layers share users out without overlap, the holdout is the same in every rollout, and neither bends the split.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { compileRollout } from '../../src/rollout/compiled-rollout.ts';
import { type Decision, decide } from '../../src/rollout/decide.ts';
import { explainRollout } from '../../src/rollout/explain.ts';
import type { Rollout } from '../../src/rollout/policy.ts';
import { layOutSplit } from '../../src/rollout/split.ts';
import { anyOf, buildFacts, buildRollout, buildRule } from '../support/decisions.ts';

const users = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);
const layerOf = (fromPercent: number, toPercent: number) => ({ name: 'shop', salt: 'shop', fromPercent, toPercent });

function decisionsOf(changes: Partial<Rollout>, ids: readonly string[] = users): Decision[] {
  const rollout = buildRollout({ split: { canary: 50 }, ...changes });
  const compiled = compileRollout(rollout);
  const split = layOutSplit(rollout.versions, rollout.split);
  return ids.map((id) => decide(compiled, split, buildFacts({ headers: { 'x-user-id': id } })));
}

const isBetween = (count: number, expected: number, deviation: number): boolean =>
  Math.abs(count - expected) < 5 * deviation;

suite('a layer', () => {
  test('puts each user into at most one of its rollouts, and all of them where it is shared out whole', () => {
    const shares = [layerOf(0, 30), layerOf(30, 50), layerOf(50, 100)];
    const perRollout = shares.map((layer, i) => decisionsOf({ name: `r-${i}`, salt: `r-${i}`, layer }));
    for (const i of users.keys()) {
      assert.equal(perRollout.filter((decisions) => decisions[i]!.reason === 'split').length, 1);
    }
    const counts = perRollout.map((decisions) => decisions.filter(({ reason }) => reason === 'split').length);
    for (const [i, share] of [0.3, 0.2, 0.5].entries()) {
      assert.ok(isBetween(counts[i]!, 20_000 * share, Math.sqrt(20_000 * share * (1 - share))), String(counts));
    }
  });

  test('gives everyone else the baseline with no bucket, so that they count in no comparison', () => {
    const others = decisionsOf({ layer: layerOf(0, 30) }).filter(({ reason }) => reason === 'layer');
    assert.ok(others.length > 13_000);
    assert.ok(others.every(({ version, bucket, rule }) => version.index === 0 && bucket === null && rule === null));
    assert.ok(others.every(({ user }) => user !== null));
  });

  test('does not bend the split, not even where its name is the salt', () => {
    for (const layer of [layerOf(0, 30), layerOf(70, 100)]) {
      const inside = decisionsOf({ layer, salt: 'shop' }).filter(({ reason }) => reason === 'split');
      const canary = inside.filter(({ version }) => version.index === 1).length;
      assert.ok(isBetween(canary, inside.length / 2, Math.sqrt(inside.length / 4)), `${canary} of ${inside.length}`);
    }
  });

  test('is asked by the split of a rule too, but not by a rule that names a version', () => {
    const when = [{ on: 'header' as const, name: 'x-user-id', matches: anyOf(...users) }];
    const layer = layerOf(0, 0);
    const half = decisionsOf({ layer, rules: [buildRule('half', when, { kind: 'split', split: { canary: 50 } })] });
    assert.ok(half.every(({ reason, version }) => reason === 'layer' && version.index === 0));
    const testers = decisionsOf({ layer, rules: [buildRule('testers', when)] });
    assert.ok(testers.every(({ reason, version }) => reason === 'rule' && version.index === 1));
  });
});

const holdout = { salt: 'holdout', percent: 5 };

function heldOut(changes: Partial<Rollout>): (string | null)[] {
  return decisionsOf({ holdout, ...changes }).flatMap(({ reason, user }) => (reason === 'holdout' ? [user] : []));
}

suite('the holdout', () => {
  test('holds the same users out of every rollout, whatever their salts and layers are', () => {
    const one = heldOut({ salt: 'a' });
    assert.deepEqual(heldOut({ salt: 'b', layer: layerOf(10, 20) }), one);
    assert.ok(isBetween(one.length, 1_000, Math.sqrt(20_000 * 0.05 * 0.95)), String(one.length));
    assert.notDeepEqual(heldOut({ holdout: { salt: 'next', percent: 5 } }), one);
  });

  test('keeps its users on the baseline also when everyone else is on the candidate', () => {
    const decisions = decisionsOf({ holdout, split: { canary: 100 } });
    assert.ok(decisions.every(({ reason, version }) => version.index === (reason === 'holdout' ? 0 : 1)));
  });

  test('grows without letting anybody go', () => {
    const [small, large] = [5, 10].map((percent) => decisionsOf({ holdout: { salt: 'h', percent } }));
    assert.ok(small!.every(({ reason }, i) => reason !== 'holdout' || large![i]!.reason === 'holdout'));
  });
});

test('the explanation shows where the user stands in both, and whether the request is excluded', () => {
  const rollout = buildRollout({
    holdout: { salt: 'h', percent: 5 },
    layer: layerOf(0, 30),
    exclude: [[{ on: 'header', name: 'x-probe', matches: anyOf('1') }]],
  });
  const split = layOutSplit(rollout.versions, rollout.split);
  const told = (id: string, probe: string) =>
    explainRollout(compileRollout(rollout), split, buildFacts({ headers: { 'x-user-id': id, 'x-probe': probe } }))
      .steps;
  const id = users[decisionsOf(rollout).findIndex(({ reason }) => reason === 'layer')]!;
  const population = told(id, '1').find((step) => step.step === 'population');
  assert.deepEqual(
    population?.tried.map(({ of, hashed, from, below, isWithin }) => [of, hashed, from, below, isWithin]),
    [
      ['holdout', `holdout:h:${id}`, 0, 500, false],
      ['layer', `layer:shop:${id}`, 0, 3_000, false],
    ],
  );
  assert.ok(
    population.tried.every(({ place, from, below, isWithin }) => isWithin === (place >= from && place < below)),
  );
  const excluded = ['1', '0'].map((probe) => told(id, probe).find((step) => step.step === 'exclude')?.excluded);
  assert.deepEqual(excluded, [true, false]);
});
