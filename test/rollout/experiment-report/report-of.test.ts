import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExperimentFigures } from '../../../src/rollout/experiment.ts';
import { reportOf } from '../../../src/rollout/experiment-report/report-of.ts';
import type { MetricComparison } from '../../../src/rollout/experiment-report/report.ts';
import type { Sample } from '../../../src/stats/sample.ts';
import { contrastPhases } from '../../../src/stats/phase-contrast.ts';
import {
  conversion,
  counted,
  dayMs,
  experiment,
  figures,
  orderValue,
  proportion,
  revenue,
  values,
} from './experiments.ts';

const nowMs = 10 * dayMs;

/** The first comparison of the primary metric. */
function primaryOf(from: ExperimentFigures, asked = experiment(), atMs = nowMs): MetricComparison {
  return reportOf(from, asked, atMs).metrics[0]!.comparisons[0]!;
}

const clear = figures([counted(conversion, [proportion(20_000, 1_000), proportion(20_000, 1_240)])]);

test('a candidate whose interval lies above 0 is better, below 0 worse, and the numbers say by how much', () => {
  const better = primaryOf(clear);
  assert.equal(better.verdict.kind, 'better');
  assert.match(
    better.sentence,
    /^canary is better than stable: 6\.2 % against 5 %, \+24 % \(\+\d[\d.]* % to \+\d[\d.]* %\)$/,
  );
  const { difference, lower, upper, lift } = better.figures!;
  assert.ok(Math.abs(difference - 0.012) < 1e-12);
  assert.ok(lower > 0 && lower < difference && difference < upper);
  assert.ok(lift !== null && lift.lower > 0 && Math.abs(lift.value - 0.24) < 1e-9);
  const worse = primaryOf(figures([counted(conversion, [proportion(20_000, 1_240), proportion(20_000, 1_000)])]));
  assert.equal(worse.verdict.kind, 'worse');
  assert.match(worse.sentence, /^canary is worse than stable: 5 % against 6\.2 %, −19\.4 %/);
});

test('an interval around 0 says which difference it rules out', () => {
  const same = primaryOf(figures([counted(conversion, [proportion(50_000, 2_500), proportion(50_000, 2_510)])]));
  assert.ok(same.verdict.kind === 'no-difference');
  const { lower, upper } = same.figures!;
  assert.equal(same.verdict.largest, Math.max(-lower, upper));
  assert.match(same.sentence, /^no difference between canary and stable larger than 10\.1 % of stable's figure$/);
});

test('before the least time, and below the least counts, nothing is decided, and what is missing is said', () => {
  const early = primaryOf(clear, experiment(), 2 * dayMs);
  assert.deepEqual(early.verdict, {
    kind: 'not-enough-data',
    missing: [{ what: 'time', have: 2 * dayMs, need: 7 * dayMs }],
  });
  assert.equal(early.sentence, 'not enough data on canary: it has run 2 d of 7 d');
  const few = primaryOf(figures([counted(conversion, [proportion(5_000, 400), proportion(90, 7)])]));
  assert.deepEqual(few.verdict, {
    kind: 'not-enough-data',
    missing: [
      { what: 'users', version: 'canary', have: 90, need: 100 },
      { what: 'hits', version: 'canary', have: 7, need: 10 },
    ],
  });
  const spent = [...Array<number>(400).fill(20), ...Array<number>(400).fill(30)];
  const orders = figures([counted(revenue, [values(...spent), values(...spent)], { nonZero: [800, 299] })]);
  const asked = experiment({ metrics: [revenue] });
  assert.equal(
    primaryOf(orders, asked).sentence,
    'not enough data on canary: canary has 299 of 300 users with a value',
  );
});

test('without users, without a phase and without spread there is no figure and no verdict', () => {
  for (const samples of [
    [proportion(0, 0), proportion(0, 0)],
    [proportion(500, 0), proportion(500, 0)],
  ]) {
    const empty = primaryOf(figures([counted(conversion, samples)]));
    assert.equal(empty.figures, null);
    assert.equal(empty.verdict.kind, 'not-enough-data');
  }
  const unphased = figures([{ ...counted(conversion, []), samples: [], nonZero: [0, 0], waiting: [0, 0] }]);
  const report = reportOf({ ...unphased, versions: ['stable', 'canary'] }, experiment(), nowMs);
  assert.equal(report.decision.kind, 'undecided');
  assert.equal(report.metrics[0]!.versions[0]!.mean, null);
});

test('users who do not fall as the split says freeze every verdict', () => {
  const lost = figures(
    [
      counted(conversion, [proportion(20_000, 1_000), proportion(18_500, 1_240)]),
      counted(revenue, [values(1, 2), values(1, 2)]),
    ],
    { phases: [{ beganMs: 0, percents: [50, 50], exposed: [20_000, 18_500] }] },
  );
  const report = reportOf(lost, experiment({ metrics: [conversion, revenue] }), nowMs);
  assert.equal(report.balance.answer, 'mismatch');
  assert.deepEqual(report.balance.versions[1], { name: 'canary', users: 18_500, expected: 19_250 });
  for (const { comparisons } of report.metrics) assert.equal(comparisons[0]!.verdict.kind, 'frozen');
  assert.equal(report.decision.kind, 'undecided');
});

test('a ramp that points the wrong way when pooled is compared phase by phase', () => {
  const ramp = figures([
    counted(conversion, [], {
      samples: [
        [proportion(18_000, 1_800), proportion(2_000, 240)],
        [proportion(2_000, 1_000), proportion(18_000, 9_360)],
      ],
      nonZero: [2_800, 9_600],
      waiting: [0, 0],
    }),
  ]);
  const phases = [
    { beganMs: 0, percents: [90, 10], exposed: [18_000, 2_000] },
    { beganMs: dayMs, percents: [10, 90], exposed: [2_000, 18_000] },
  ];
  const { figures: got } = primaryOf({ ...ramp, phases });
  assert.ok(Math.abs(got!.difference - 0.02) < 1e-12, 'pooled it would be 0.34');
  assert.ok(Math.abs(got!.candidateMean - 0.32) < 1e-12);
});

test('several candidates share the alpha of the primary metric', () => {
  const three = [proportion(9_000, 450), proportion(9_000, 540), proportion(9_000, 455)];
  const report = reportOf(figures([counted(conversion, three)]), experiment(), nowMs);
  const [canary, third] = report.metrics[0]!.comparisons;
  assert.equal(canary!.alpha, 0.025);
  assert.equal(third!.candidate, 'third');
  const alone = primaryOf(figures([counted(conversion, three.slice(0, 2))]));
  assert.ok(canary!.figures!.upper - canary!.figures!.lower > alone.figures!.upper - alone.figures!.lower);
});

test('the winner is better than the baseline and behind no other candidate that may still turn out either way', () => {
  const winnerOf = (...hits: number[]) => {
    const decision = decisionOf(...hits);
    return decision.kind === 'winner' ? decision.version : null;
  };
  assert.equal(winnerOf(1_000, 1_300, 1_010), 'canary');
  assert.equal(winnerOf(1_000, 1_300, 1_400), 'third');
  assert.equal(winnerOf(1_000, 700, 600), 'stable');
  assert.equal(winnerOf(1_000, 700, 1_010), null);
  assert.equal(decisionOf(1_000, 700, 1_010).about, 'third');
});

test('secondary metrics are said to differ only where the evidence of all of them allows it, and their intervals agree', () => {
  const names = ['a', 'b', 'c', 'd'] as const;
  const metrics = [conversion, ...names.map((name) => ({ ...conversion, name }))] as const;
  const hits = { a: 1_300, b: 1_000, c: 1_150, d: 1_010 };
  const all = metrics.map((metric) =>
    counted(metric, [proportion(20_000, 1_000), proportion(20_000, hits[metric.name as 'a'] ?? 1_000)]),
  );
  const report = reportOf(figures(all), experiment({ metrics: [...metrics] }), nowMs);
  const verdicts = report.metrics.slice(1).map(({ comparisons }) => comparisons[0]!);
  assert.deepEqual(
    verdicts.map(({ verdict }) => verdict.kind),
    ['better', 'no-difference', 'no-difference', 'no-difference'],
  );
  const alone = reportOf(
    figures([all[0]!, all[3]!]),
    experiment({ metrics: [conversion, { ...conversion, name: 'c' }] }),
    nowMs,
  );
  assert.equal(alone.metrics[1]!.comparisons[0]!.verdict.kind, 'better', 'alone it would have been enough');
  assert.equal(verdicts[2]!.alpha, 0.05 / 4);
  assert.ok(verdicts[2]!.figures!.lower < 0);
});

test('an order value stands beside the revenue that decides, unless it is the primary metric', () => {
  const ratio = {
    kind: 'ratio',
    userCount: 900,
    valueSum: 9e3,
    unitSum: 450,
    valueSquares: 3e5,
    unitSquares: 500,
    products: 1e4,
  } as const;
  const spent = values(...Array.from({ length: 900 }, (_, i) => i % 7));
  const both = figures([counted(revenue, [spent, spent]), counted(orderValue, [ratio, ratio])]);
  const report = reportOf(both, experiment({ metrics: [revenue, orderValue] }), nowMs);
  assert.deepEqual(
    report.metrics.map(({ decidedBy }) => decidedBy),
    [null, 'revenue'],
  );
  assert.equal(report.metrics[1]!.versions[0]!.mean, 20);
  const primary = reportOf(both, experiment({ metrics: [orderValue, revenue] }), nowMs);
  assert.equal(primary.metrics[0]!.decidedBy, null);
});

test('the past of the users narrows the interval, and both are shown', () => {
  const pairs = Array.from({ length: 2_000 }, (_, i) => ({ x: i % 50, y: (i % 50) + (i % 3) }));
  const sum = (of: (pair: { x: number; y: number }) => number) => pairs.reduce((total, pair) => total + of(pair), 0);
  const sums = (plus: number) => ({
    userCount: pairs.length,
    ySum: sum(({ y }) => y + plus),
    ySquares: sum(({ y }) => (y + plus) ** 2),
    xSum: sum(({ x }) => x),
    xSquares: sum(({ x }) => x * x),
    products: sum(({ x, y }) => x * (y + plus)),
  });
  const paired = [[sums(0), sums(0.5)]];
  const samples = paired[0]!.map(({ userCount, ySum, ySquares }) => ({
    kind: 'mean' as const,
    userCount,
    sum: ySum,
    sumOfSquares: ySquares,
  }));
  const got = primaryOf(figures([counted(revenue, samples, { paired })]), experiment({ metrics: [revenue] }));
  assert.ok(got.figures !== null && got.adjusted !== null);
  assert.ok(got.figures.lower < 0, 'without the past nothing is shown');
  assert.ok(got.adjusted.lower > 0 && got.adjusted.saved > 0.9);
  assert.equal(got.verdict.kind, 'better');
});

/** Users of whom some bought for 20 or so. */
function someSpent(userCount: number, buyers: number): Sample {
  return { kind: 'mean', userCount, sum: buyers * 20, sumOfSquares: buyers * 500 };
}

test('a lift never falls below −100 %, because nothing is less than none', () => {
  const some = counted(revenue, [someSpent(3_000, 60), someSpent(300, 1)], { nonZero: [60, 1] });
  const { figures: got } = primaryOf(figures([some]), experiment({ metrics: [revenue] }));
  assert.ok(got!.lower < -got!.baselineMean, 'the difference is approximate and reaches below');
  assert.equal(got!.lift!.lower, -1);
  const gone = primaryOf(figures([counted(conversion, [proportion(9_000, 900), proportion(9_000, 10)])]));
  assert.match(
    gone.sentence,
    /^canary is worse than stable: 0\.111 % against 10 %, −98\.9 % \(−100 % to −9\d(\.\d)? %\)$/,
  );
});

test('the interval rests on the guarded error where one version is small', () => {
  const uneven = figures([counted(conversion, [proportion(19_000, 950), proportion(1_000, 20)])], {
    phases: [{ beganMs: 0, percents: [95, 5], exposed: [19_000, 1_000] }],
  });
  const contrast = contrastPhases([{ candidate: proportion(1_000, 20), baseline: proportion(19_000, 950) }])!;
  assert.ok(contrast.guardedError > contrast.standardError * 1.2);
  assert.equal(primaryOf(uneven).figures!.standardError, contrast.guardedError);
});

/** What is decided with so many buyers among 20,000 users of each version. */
function decisionOf(...hits: number[]): ReturnType<typeof reportOf>['decision'] {
  const samples = hits.map((each) => proportion(20_000, each));
  return reportOf(figures([counted(conversion, samples)]), experiment(), nowMs).decision;
}
