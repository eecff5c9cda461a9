import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Figuring } from '../../src/controller/figuring.ts';
import { emptyFigures, type Figures } from '../../src/rollout/figures.ts';

/** What came to two versions: requests of the split, each with one failure, and of rules. */
function came(splits: readonly [number, number], rules: readonly [number, number] = [0, 0]): Figures[] {
  return splits.map((splitCount, i) => ({
    ...emptyFigures(),
    splitCount,
    splitFailureCount: Math.min(1, splitCount),
    ruleCount: rules[i] ?? 0,
  }));
}

test('a stage adds up until the next one begins; when the candidate last had a request is known for longer', () => {
  const figuring = new Figuring(2, null);
  assert.equal(figuring.stageFigures(false).lastCandidateRequestMs, null);
  figuring.add(came([10, 2]), 1_000);
  figuring.add(came([10, 0]), 2_000);
  assert.deepEqual(figuring.stageFigures(false), {
    baseline: { requests: 20, failures: 2 },
    candidate: { requests: 2, failures: 1 },
    lastCandidateRequestMs: 1_000,
  });
  figuring.beginStage();
  assert.deepEqual(figuring.stageFigures(false), {
    baseline: { requests: 0, failures: 0 },
    candidate: { requests: 0, failures: 0 },
    lastCandidateRequestMs: 1_000,
  });
});

test('in a stage of rules only, what rules send is what counts', () => {
  const figuring = new Figuring(2, null);
  figuring.add(came([10, 2], [1, 7]), 1_000);
  assert.equal(figuring.stageFigures(true).candidate.requests, 7);
  assert.equal(figuring.stageFigures(false).candidate.requests, 2);
});

test('the stage goes on from what was kept, unless that is of other versions', () => {
  const figuring = new Figuring(2, null);
  figuring.add(came([10, 2]), 1_000);
  const kept = structuredClone(figuring.keptStage());
  assert.deepEqual(new Figuring(2, kept).stageFigures(false), figuring.stageFigures(false));
  assert.deepEqual(new Figuring(2, kept).keptStage(), kept);
  assert.equal(new Figuring(3, kept).stageFigures(false).candidate.requests, 0);
});

test('a second holds what came since the last one', () => {
  const figuring = new Figuring(2, null);
  assert.equal(figuring.takeSecond(1_000), null);
  figuring.add(came([1, 2]), 1_100);
  figuring.add(came([3, 4]), 1_900);
  assert.deepEqual(
    figuring.takeSecond(2_000)?.map(({ splitCount }) => splitCount),
    [4, 6],
  );
  assert.equal(figuring.takeSecond(3_000), null);
});

test('the last minute forgets what is older, also when nothing comes any more', () => {
  const figuring = new Figuring(2, null);
  assert.deepEqual(figuring.recent().sinceMs, null);
  for (let second = 0; second < 300; second += 1) {
    figuring.add(came([10, 1]), second * 1_000);
    figuring.takeSecond(second * 1_000);
  }
  const { sinceMs, figures } = figuring.recent();
  assert.equal(figures[0]!.splitCount, ((300_000 - sinceMs!) / 1_000) * 10);
  assert.ok(300_000 - sinceMs! >= 50_000 && 300_000 - sinceMs! <= 70_000);
  figuring.takeSecond(500_000);
  assert.equal(figuring.recent().figures[0]!.splitCount, 0);
});

test('other versions begin with nothing', () => {
  const figuring = new Figuring(2, null);
  figuring.add(came([10, 1]), 1_000);
  figuring.reset(3);
  assert.equal(figuring.recent().figures.length, 3);
  assert.equal(figuring.stage().split.length, 3);
  assert.equal(figuring.takeSecond(2_000), null);
});
