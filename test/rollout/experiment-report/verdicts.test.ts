import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Arbitrary,
  array,
  assert as check,
  constantFrom,
  double,
  integer,
  oneof,
  property,
  record,
} from 'fast-check';
import { experimentPage } from '../../../src/admin/experiment-page/experiment-page.ts';
import type { Metric } from '../../../src/rollout/experiment.ts';
import { chinese } from '../../../src/rollout/experiment-report/chinese.ts';
import { english } from '../../../src/rollout/experiment-report/english.ts';
import { lineOn } from '../../../src/rollout/experiment-report/notes.ts';
import { changeTexts } from '../../../src/rollout/experiment-report/numbers.ts';
import { reportOf } from '../../../src/rollout/experiment-report/report-of.ts';
import type { MetricComparison } from '../../../src/rollout/experiment-report/report.ts';
import type { Sample } from '../../../src/stats/sample.ts';
import { conversion, counted, dayMs, experiment, figures, orderValue, revenue } from './experiments.ts';

const metrics: readonly [Metric, ...Metric[]] = [conversion, revenue, orderValue];

/** From nobody to fifty million; shares from none to all; money from nothing to a fortune that one user spent. */
const someUsers = record({
  userCount: oneof(constantFrom(0, 1, 5, 100, 50_000_000), integer({ min: 300, max: 200_000 })),
  share: oneof(constantFrom(0, 1), double({ min: 0, max: 1, noNaN: true })),
  price: oneof(
    constantFrom(0, 0.001, 1e12),
    integer({ min: 1, max: 50_000 }).map((cents) => cents / 100),
  ),
  giant: constantFrom(0, 0, 0, 1e9),
});
type Users = typeof someUsers extends Arbitrary<infer U> ? U : never;

/** The samples of one version in one phase: buyers pay the price or twice the price, half of them each, and one the giant order. */
function samplesOf({ userCount, share, price, giant }: Users): [Sample, Sample, Sample, number] {
  const buyers = Math.floor(userCount * share);
  const twice = Math.floor(buyers / 2);
  const extra = buyers > 0 ? giant : 0;
  const sum = (buyers + twice) * price + extra;
  const sumOfSquares = (buyers + 3 * twice) * price ** 2 + extra * (extra + 2 * price);
  return [
    { kind: 'proportion', userCount, hits: buyers },
    { kind: 'mean', userCount, sum, sumOfSquares },
    {
      kind: 'ratio',
      userCount,
      valueSum: sum,
      unitSum: buyers,
      valueSquares: sumOfSquares,
      unitSquares: buyers,
      products: sum,
    },
    buyers,
  ];
}

const someReport = integer({ min: 2, max: 3 })
  .chain((versionCount) =>
    array(array(someUsers, { minLength: versionCount, maxLength: versionCount }), { minLength: 1, maxLength: 3 }),
  )
  .map((phases) => {
    const samples = phases.map((versions) => versions.map(samplesOf));
    const nonZero = phases[0]!.map((_, i) => samples.reduce((sum, versions) => sum + versions[i]![3], 0));
    const kinds = [0, 1, 2] as const;
    const seen = figures(
      kinds.map((kind) =>
        counted(metrics[kind]!, [], {
          samples: samples.map((versions) => versions.map((one) => one[kind])),
          nonZero,
          waiting: nonZero.map(() => 0),
        }),
      ),
    );
    return reportOf(seen, experiment({ metrics }), 10 * dayMs);
  });

test('every verdict follows from the interval that is shown beside it', () => {
  const told = new Set<string>();
  check(
    property(someReport, (report) => {
      for (const { metric, comparisons } of report.metrics) {
        for (const one of comparisons) {
          told.add(one.verdict.kind);
          const [lower, upper] = shown(metric.kind, one) ?? ['', ''];
          if (one.verdict.kind === 'better') assert.match(`${lower}, ${upper}`, /^\+.*, \+/);
          if (one.verdict.kind === 'worse') assert.match(`${lower}, ${upper}`, /^−.*, −/);
          if (one.verdict.kind === 'no-difference') assert.match(`${lower}, ${upper}`, /^[^+]*, [^−]*$/);
        }
      }
    }),
    { numRuns: 500, seed: 20_261_122 },
  );
  assert.deepEqual([...told].toSorted(), ['better', 'no-difference', 'not-enough-data', 'worse']);
});

test('whatever was counted, every number is one, and is written as people write numbers', () => {
  check(
    property(someReport, (report) => {
      assertNumbers(report, 'report');
      for (const words of [english, chinese]) {
        const lines = report.metrics.flatMap((metric) =>
          metric.comparisons.map((one) => lineOn(report, { metric, one }, words)),
        );
        const text = [words.outcome(report), words.mismatch(report.balance), ...lines].join('\n');
        assert.doesNotMatch(text, /NaN|undefined|Infinity|∞|null|\de[+-]?\d|[-−]0(\.0+)?(?![\d.])/);
        assert.doesNotMatch(experimentPage(report, words), /NaN|undefined|Infinity|∞|\de[+-]\d/);
      }
    }),
    { numRuns: 300, seed: 20_261_122 },
  );
});

function shown(kind: Metric['kind'], { figures: plain, adjusted }: MetricComparison): [string, string] | null {
  const decisive = adjusted ?? plain;
  if (decisive === null) return null;
  const { lower, upper } = changeTexts(kind, decisive, english.numbers);
  return [lower, upper];
}

function assertNumbers(value: unknown, at: string): void {
  if (typeof value === 'number') assert.ok(Number.isFinite(value), `${at} is ${value}`);
  else if (typeof value === 'object' && value !== null)
    for (const [key, each] of Object.entries(value)) assertNumbers(each, `${at}.${key}`);
}
