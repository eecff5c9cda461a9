import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  chanceOf,
  countOf,
  durationOf,
  latencyOf,
  listOf,
  percentOf,
  pointsOf,
  quantileName,
} from '../../src/rollout/wording.ts';

const rows: [got: string, wanted: string][] = [
  [percentOf(0.0487), '4.9 %'],
  [percentOf(0.00123), '0.12 %'],
  [percentOf(0.12345), '12.3 %'],
  [percentOf(0), '0 %'],
  [percentOf(1), '100 %'],
  [pointsOf(0.001), '0.1 percentage points'],
  [countOf(0), '0'],
  [countOf(999), '999'],
  [countOf(8663), '8,663'],
  [countOf(1_234_567), '1,234,567'],
  [latencyOf(0.8444), '0.84 ms'],
  [latencyOf(240), '240 ms'],
  [latencyOf(1512), '1.5 s'],
  [durationOf(0), '0 ms'],
  [durationOf(-5), '0 ms'],
  [durationOf(250), '250 ms'],
  [durationOf(5_999), '5 s'],
  [durationOf(30 * 60_000), '30 min'],
  [durationOf(3_905_000), '1 h 5 min'],
  [durationOf(3_605_000), '1 h'],
  [durationOf(48 * 3_600_000), '2 d'],
  [chanceOf(Math.log(100)), 'below 1 in 100'],
  [chanceOf(Math.log(12_345)), 'below 1 in 10,000'],
  [chanceOf(Math.log(99)), 'below 1 in 90'],
  [chanceOf(5000), 'below 1 in 1,000,000,000'],
  [chanceOf(-3), 'below 1 in 1'],
  [quantileName(0.5), 'p50'],
  [quantileName(0.95), 'p95'],
  [quantileName(0.999), 'p99.9'],
  [listOf(['b']), 'b'],
  [listOf(['b', 'c']), 'b and c'],
  [listOf(['b', 'c', 'd']), 'b, c and d'],
];

for (const [got, wanted] of rows) {
  test(`${wanted} is written with its unit and no digit too many`, () => {
    assert.equal(got, wanted);
  });
}
