import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { Outcome } from '../../src/rollout/outcome.ts';
import type { Rollout } from '../../src/rollout/policy.ts';
import { hasFailed, Window } from '../../src/telemetry/window.ts';
import { canary, stable, buildRollout } from '../support/decisions.ts';
import { decisionOf, outcomeOf } from './requests.ts';

const rollout = buildRollout();

/** Requests of so many users each of both versions. */
function fill(window: Window, [baseline, candidate]: readonly [number, number], more: Partial<Outcome> = {}): void {
  for (let i = 0; i < baseline; i += 1) window.observe(outcomeOf(rollout, 0, { user: `s${i}`, ...more }));
  for (let i = 0; i < candidate; i += 1) window.observe(outcomeOf(rollout, 1, { user: `c${i}`, ...more }));
}

suite('a failure', () => {
  const rows: [string, boolean, Partial<Outcome>][] = [
    ['is a 5xx', true, { status: 500 }],
    ['is not a 4xx: that is the client’s', false, { status: 404 }],
    ['is not a client that leaves', false, { status: 499, ending: 'client-left' }],
    ['is an answer that came after another one was thrown away', true, { retries: ['503'] }],
    ['is an answer that a fallback gave', true, { version: stable, fallback: 'connect' }],
    [
      'is a fault of the version that was decided, even where a retry answered',
      true,
      { faults: [{ version: canary, server: 'http://x', kind: 'reset' }] },
    ],
    ['is not a fault of another version', false, { faults: [{ version: stable, server: 'http://x', kind: 'reset' }] }],
  ];
  for (const [sentence, expected, more] of rows) {
    test(sentence, () => assert.equal(hasFailed(outcomeOf(rollout, 1, more)), expected));
  }
});

suite('figures', () => {
  test('tell requests of the split, of rules and of neither apart', () => {
    const window = new Window(rollout, 0);
    window.observe(outcomeOf(rollout, 1, { status: 503 }));
    window.observe(outcomeOf(rollout, 1));
    window.observe(outcomeOf(rollout, 1, { rule: 'testers', bucket: null, status: 500 }));
    window.observe(outcomeOf(rollout, 0, { bucket: null, user: null, reason: 'anonymous' }));
    const [baseline, candidate] = window.takeFigures() ?? [];
    assert.deepEqual(
      [candidate?.splitCount, candidate?.splitFailureCount, candidate?.ruleCount, candidate?.ruleFailureCount],
      [2, 1, 1, 1],
    );
    assert.deepEqual([baseline?.splitCount, baseline?.otherCount, baseline?.otherFailureCount], [0, 1, 0]);
    assert.deepEqual([candidate?.latencies.count, candidate?.otherLatencies], [3, null]);
    assert.deepEqual([baseline?.latencies.count, baseline?.otherLatencies?.count], [0, 1]);
  });

  test('count a user once as new, where the split sent them first, and nobody whom a rule or no ID brought', () => {
    const window = new Window(rollout, 0);
    window.assigned(decisionOf(rollout, 1));
    window.assigned(decisionOf(rollout, 0));
    window.assigned(decisionOf(rollout, 0, { user: 'v' }));
    window.assigned(decisionOf(rollout, 1, { user: 'w', rule: 'testers' }));
    window.assigned(decisionOf(rollout, 0, { user: null, bucket: null }));
    assert.deepEqual(
      window.takeFigures()?.map(({ newUserCount }) => newUserCount),
      [1, 1],
    );
    window.assigned(decisionOf(rollout, 1, { user: 'v' }));
    assert.equal(window.takeFigures(), null, 'nothing came since');
  });

  test('leave the length of a WebSocket out of the latencies', () => {
    const window = new Window(rollout, 0);
    window.observe(outcomeOf(rollout, 1, { ending: 'upgraded', status: 101 }));
    assert.equal(window.takeFigures()?.[1]?.latencies.count, 0);
  });

  test('do not count what was decided for another release or among other versions', () => {
    const staging = { ...rollout.staging, release: 'r0' };
    const others: Rollout[] = [
      { ...rollout, staging },
      { ...rollout, versions: [stable, { ...canary, name: 'green' }] },
      { ...rollout, versions: [stable, canary, { ...canary, name: 'beta', index: 2 }] },
    ];
    const window = new Window(rollout, 0);
    for (const other of others) {
      window.observe(outcomeOf(other, other.versions.length - 1, { status: 500 }));
      window.assigned(decisionOf(other, other.versions.length - 1));
    }
    assert.equal(window.takeFigures(), null);
    window.observe(outcomeOf({ ...rollout, rules: [] }, 1));
    assert.equal(window.takeFigures()?.[1]?.splitCount, 1, 'the same release in a policy that was loaded again counts');
  });
});

suite('a stratum', () => {
  const rows: [string, readonly [number, number], number, boolean][] = [
    ['is not due before a second', [10, 10], 999, false],
    ['is due after a second with 20 requests of both versions', [10, 10], 1_000, true],
    ['is due with a single request of the candidate', [19, 1], 1_000, true],
    ['is not due with 19 requests', [10, 9], 59_999, false],
    ['is not due without the baseline', [0, 500], 59_999, false],
    ['is not due without the candidate', [500, 0], 59_999, false],
    ['is due after a minute, whatever it holds', [0, 0], 60_000, true],
  ];
  for (const [sentence, counts, atMs, expected] of rows) {
    test(sentence, () => {
      const window = new Window(rollout, 0);
      fill(window, counts);
      const stratum = window.closeStratum(atMs);
      assert.equal(stratum !== null, expected);
      if (stratum !== null)
        assert.deepEqual(
          stratum.arms.map(({ exposedCount }) => exposedCount),
          counts,
        );
    });
  }

  test('is due when its candidates together have a request, so that one with few users makes nobody wait', () => {
    const several = buildRollout({ versions: [stable, canary, { ...canary, name: 'beta', index: 2 }] });
    for (const [counts, isDue] of [
      [[19, 0, 1], true],
      [[19, 1, 0], true],
      [[10, 5, 4], false],
      [[500, 0, 0], false],
    ] as const) {
      const window = new Window(several, 0);
      for (const [index, count] of counts.entries()) {
        for (let i = 0; i < count; i += 1) window.observe(outcomeOf(several, index, { user: `${index}-${i}` }));
      }
      const stratum = window.closeStratum(1_000);
      assert.equal(stratum !== null, isDue, counts.join());
      if (stratum !== null)
        assert.deepEqual(
          stratum.arms.map(({ exposedCount }) => exposedCount),
          counts,
        );
    }
  });

  test('lasts a tenth of a second while there are 1,000 requests a second, also of a few users only', () => {
    const window = new Window(rollout, 0);
    for (let i = 0; i < 40; i += 1) fill(window, [15, 15]);
    assert.ok(window.closeStratum(1_000));
    fill(window, [15, 15]);
    assert.equal(window.closeStratum(1_099), null);
    assert.ok(window.closeStratum(1_100), 'the next is a short one');
    fill(window, [15, 15]);
    assert.equal(window.closeStratum(1_200), null, 'and a slow one makes the next long');
    assert.ok(window.closeStratum(2_100));
  });

  test('counts users of the risk set only: each once, and nobody who failed before', () => {
    const window = new Window(rollout, 0);
    fill(window, [30, 10]);
    fill(window, [30, 10]);
    window.observe(outcomeOf(rollout, 1, { user: 'bad', status: 500 }));
    const first = window.closeStratum(1_000)?.arms;
    assert.deepEqual([first?.[0]?.exposedCount, first?.[1]?.exposedCount, first?.[1]?.failedCount], [30, 11, 1]);
    fill(window, [30, 10]);
    window.observe(outcomeOf(rollout, 0, { user: 'bad', status: 500 }));
    const second = window.closeStratum(2_000)?.arms;
    assert.deepEqual([second?.[0]?.exposedCount, second?.[0]?.failedCount, second?.[1]?.exposedCount], [30, 0, 10]);
  });

  test('does not count what rules sent, and a user without an ID by the address', () => {
    const window = new Window(rollout, 0);
    window.observe(outcomeOf(rollout, 1, { rule: 'testers' }));
    for (let i = 0; i < 3; i += 1) window.observe(outcomeOf(rollout, 1, { user: null, ip: '192.0.2.7' }));
    assert.equal(window.closeStratum(60_000)?.arms[1]?.exposedCount, 1);
  });

  test('who failed is still out after the window was replaced with its risk set', () => {
    const window = new Window(rollout, 0);
    window.observe(outcomeOf(rollout, 0, { user: 'bad', status: 500 }));
    const next = new Window({ ...rollout }, 0, window.riskSet());
    next.observe(outcomeOf(rollout, 1, { user: 'bad', status: 500 }));
    assert.equal(next.closeStratum(60_000)?.arms[1]?.exposedCount, 0);
  });

  test('is closed when it holds as many users as it can remember', () => {
    const window = new Window(rollout, 0);
    for (let i = 0; i < 100_000; i += 1) window.observe(outcomeOf(rollout, 0, { user: `u${i}` }));
    assert.equal(window.closeStratum(1)?.arms[0]?.exposedCount, 100_000);
    assert.equal(window.closeStratum(2), null);
  });

  test('a clock that is set back begins it anew', () => {
    const window = new Window(rollout, 1_000_000);
    fill(window, [10, 10]);
    assert.equal(window.closeStratum(5_000), null);
    assert.ok(window.closeStratum(6_000));
  });
});

/** When strata closed and how many requests each had, of requests at a constant pace. */
function closings(requests: readonly Outcome[], perSecond: number): number[][] {
  const window = new Window(rollout, 0);
  const closed: number[][] = [];
  requests.forEach((request, i) => {
    window.observe(request);
    const nowMs = Math.round(((i + 1) * 1_000) / perSecond);
    const stratum = window.closeStratum(nowMs);
    if (stratum !== null) closed.push([nowMs, ...stratum.arms.map(({ exposedCount }) => exposedCount)]);
  });
  return closed;
}

test('who fails never changes when a stratum closes, only who comes does', () => {
  const traffic = fc.record({
    versions: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 50, maxLength: 400, size: 'max' }),
    failures: fc.array(fc.boolean(), { minLength: 400, maxLength: 400, size: 'max' }),
    others: fc.array(fc.boolean(), { minLength: 400, maxLength: 400, size: 'max' }),
    perSecond: fc.constantFrom(7, 60, 900, 2_500),
  });
  fc.assert(
    fc.property(traffic, ({ versions, failures, others, perSecond }) => {
      const requests = (failing: readonly boolean[]): Outcome[] =>
        versions.map((index, i) => outcomeOf(rollout, index, { user: `u${i}`, status: failing[i] ? 500 : 200 }));
      assert.deepEqual(closings(requests(failures), perSecond), closings(requests(others), perSecond));
    }),
    { seed: 4, numRuns: 60 },
  );
});

test('within one stratum this holds for users who come again and again, too', () => {
  const traffic = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 9 }), fc.boolean(), fc.boolean()),
    {
      minLength: 20,
      maxLength: 200,
      size: 'max',
    },
  );
  fc.assert(
    fc.property(traffic, (requests) => {
      const first = (failing: (of: (typeof requests)[number]) => boolean): number[] | undefined =>
        closings(
          requests.map((of) =>
            outcomeOf(rollout, of[0], { user: `u${of[0]}${of[1]}`, status: failing(of) ? 500 : 200 }),
          ),
          30,
        )[0];
      assert.deepEqual(
        first((of) => of[2]),
        first((of) => of[3]),
      );
    }),
    { seed: 5, numRuns: 60 },
  );
});
