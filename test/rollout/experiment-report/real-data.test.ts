// Experiments that really were made: published tables, a data set that Debian ships, and the worked examples of another product.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { reportOf } from '../../../src/rollout/experiment-report/report-of.ts';
import type { MetricFigures } from '../../../src/rollout/experiment.ts';
import { compareSamples } from '../../../src/stats/comparison.ts';
import type { Sample } from '../../../src/stats/sample.ts';
import { findProgram, needs } from '../../support/requirements.ts';
import { conversion, counted, dayMs, experiment, figures, proportion } from './experiments.ts';

/** Hits and users of the baseline and the candidate, by phase. */
type Table = readonly (readonly [baseline: readonly [number, number], candidate: readonly [number, number]])[];

/** Judged by the report: every phase with the split that its users show. */
function judge(table: Table) {
  const samples = table.map((phase) => phase.map(([hits, users]) => proportion(users, hits)));
  const metric: MetricFigures = {
    ...counted(conversion, samples[0]!),
    samples,
    nonZero: [0, 1].map((i) => table.reduce((sum, phase) => sum + phase[i]![0], 0)),
  };
  const report = reportOf(figures([metric]), experiment(), 10 * dayMs);
  return report.metrics[0]!.comparisons[0]!;
}

test('aspirin and heart attacks: the difference and its error are those of the textbook', () => {
  // Steering Committee of the Physicians' Health Study, N Engl J Med 1989; 321:129; Agresti, Categorical Data Analysis, 2.2.
  const { figures: got, verdict } = judge([
    [
      [189, 11_034],
      [104, 11_037],
    ],
  ]);
  assert.equal(got!.baselineMean.toFixed(4), '0.0171');
  assert.equal(got!.candidateMean.toFixed(4), '0.0094');
  assert.equal(got!.difference.toFixed(4), '-0.0077');
  assert.equal(got!.standardError.toFixed(4), '0.0015');
  assert.equal((1 / (1 + got!.lift!.value)).toFixed(2), '1.82');
  assert.equal(verdict.kind, 'worse', 'fewer, in the words of a shop');
});

test('Berkeley admissions: pooled they point the wrong way, department by department they do not', () => {
  // Bickel, Hammel, O'Connell, Science 1975; 187:398; UCBAdmissions of R. Departments A to F: admitted and all, men first.
  const departments: Table = [
    [
      [512, 825],
      [89, 108],
    ],
    [
      [353, 560],
      [17, 25],
    ],
    [
      [120, 325],
      [202, 593],
    ],
    [
      [138, 417],
      [131, 375],
    ],
    [
      [53, 191],
      [94, 393],
    ],
    [
      [22, 373],
      [24, 341],
    ],
  ];
  const sum = (i: 0 | 1, j: 0 | 1) => departments.reduce((total, row) => total + row[i][j], 0);
  const pooled = judge([
    [
      [sum(0, 0), sum(0, 1)],
      [sum(1, 0), sum(1, 1)],
    ],
  ]);
  assert.equal(pooled.figures!.difference.toFixed(3), '-0.142');
  assert.equal(pooled.verdict.kind, 'worse');
  const byDepartment = judge(departments);
  assert.equal(byDepartment.figures!.difference.toFixed(3), '0.043');
  assert.notEqual(byDepartment.verdict.kind, 'worse');
});

const program = `suppressMessages(library(AER)); data(ResumeNames)
with(ResumeNames, write.csv(data.frame(city, ethnicity, call), row.names = FALSE, quote = FALSE))`;

test('4,870 applications under two kinds of names: calls as in the paper', { skip: needs('Rscript') }, () => {
  // Bertrand, Mullainathan, American Economic Review 2004; 94(4):991, table 1; ResumeNames of the Debian package r-cran-aer.
  const text = execFileSync(findProgram('Rscript')!, ['--vanilla', '-e', program], { encoding: 'utf8' });
  const rows = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  assert.equal(rows.length, 4_870);
  const cell = (city: string, name: string): [number, number] => {
    const sent = rows.filter((row) => row[0] === city && row[1] === name);
    return [sent.filter((row) => row[2] === 'yes').length, sent.length];
  };
  const table = ['boston', 'chicago'].map((city) => [cell(city, 'cauc'), cell(city, 'afam')] as const);
  const { figures: got, verdict, sentence } = judge(table);
  assert.equal((100 * got!.baselineMean).toFixed(2), '9.65');
  assert.equal((100 * got!.candidateMean).toFixed(2), '6.45');
  assert.equal((100 * got!.difference).toFixed(2), '-3.20');
  assert.equal(verdict.kind, 'worse', sentence);
});

test("GrowthBook's own examples of sequential tests come out as it publishes them", () => {
  // packages/stats/tests/frequentist/test_tests.py of growthbook/growthbook, five digits.
  const rows = [
    [
      mean(3_461, 2_422.7, 134_698.29),
      mean(3_000, 1_396.87, 52_377.9767),
      1_000,
      [0.50336, -0.55844, 1.56516, 0.33341],
    ],
    [proportion(3_461, 2_422), proportion(3_000, 1_396), 5_000, [0.50386, 0.40098, 0.60675, 0.03386]],
  ] as const;
  for (const [candidate, baseline, tightestAt, expected] of rows) {
    const got = compareSamples({ candidate, baseline }, { alpha: 0.05, tightestAt });
    assert.ok(got.status === 'ok' && got.lift !== null);
    const { value, standardError, interval } = got.lift;
    const digits = [value, interval.lower, interval.upper, standardError].map((each) => Number(each.toFixed(5)));
    assert.deepEqual(digits, expected);
  }
});

function mean(userCount: number, sum: number, sumOfSquares: number): Sample {
  return { kind: 'mean', userCount, sum, sumOfSquares };
}
