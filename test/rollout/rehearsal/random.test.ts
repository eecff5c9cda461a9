import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../../../src/rollout/rehearsal/random.ts';

const drawCount = 20_000;

function momentsOf(draw: () => number): { mean: number; variance: number } {
  const values = Array.from({ length: drawCount }, draw);
  const mean = values.reduce((sum, value) => sum + value, 0) / drawCount;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawCount };
}

function numbers(seed: number, stream: number): number[] {
  const random = randomFrom(seed, stream);
  return Array.from({ length: 5 }, () => random.uniform());
}

/** Within five standard errors of what the mean must be, and within a tenth of the variance. */
function assertMoments(draw: () => number, mean: number, variance: number): void {
  const got = momentsOf(draw);
  const error = 5 * Math.sqrt(variance / drawCount);
  assert.ok(Math.abs(got.mean - mean) < error, `mean ${got.mean}, expected ${mean} within ${error}`);
  assert.ok(Math.abs(got.variance / variance - 1) < 0.1, `variance ${got.variance}, expected ${variance}`);
}

test('the same seed and stream give the same numbers, another seed or stream others', () => {
  assert.deepEqual(numbers(7, 1), numbers(7, 1));
  assert.notDeepEqual(numbers(7, 1), numbers(7, 2));
  assert.notDeepEqual(numbers(7, 1), numbers(8, 1));
});

test('uniform numbers fill the unit interval evenly', () => {
  const random = randomFrom(1);
  assertMoments(() => random.uniform(), 1 / 2, 1 / 12);
});

for (const [count, rate] of [
  [10, 0.3],
  [5_000, 0.001],
  [200, 0.05],
  [1_000, 0.5],
  [50, 0.9],
  [100_000, 0.002],
] as const) {
  test(`hits among ${count} tries at ${rate} have the mean and the variance of a binomial count`, () => {
    const random = randomFrom(2, count);
    assertMoments(() => random.binomial(count, rate), count * rate, count * rate * (1 - rate));
  });
}

test('small counts come as often as the binomial distribution says', () => {
  const random = randomFrom(3);
  const seen = [0, 0, 0, 0, 0];
  for (let i = 0; i < drawCount; i += 1) seen[random.binomial(4, 0.25)]! += 1;
  const expected = [81, 108, 54, 12, 1].map((ways) => (ways / 256) * drawCount);
  const chiSquare = seen.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);
  assert.ok(chiSquare < 18.5, `chi-square of ${chiSquare} on 4 degrees of freedom`);
});

test('counts around the mode of a large binomial come as often as they must', () => {
  const random = randomFrom(4);
  const [count, rate] = [400, 0.1];
  let chance = (1 - rate) ** count;
  const expected = Array.from({ length: 80 }, (_, hits) => {
    const here = chance;
    chance *= ((count - hits) / (hits + 1)) * (rate / (1 - rate));
    return here * drawCount;
  });
  const seen = expected.map(() => 0);
  for (let i = 0; i < drawCount; i += 1) seen[random.binomial(count, rate)]! += 1;
  const cells = expected.flatMap((want, hits) => (want < 20 ? [] : (seen[hits]! - want) ** 2 / want));
  const chiSquare = cells.reduce((sum, each) => sum + each, 0);
  assert.ok(chiSquare < cells.length + 5 * Math.sqrt(2 * cells.length), `${chiSquare} on ${cells.length} cells`);
});

test('what cannot happen does not, and what must does', () => {
  const random = randomFrom(5);
  assert.equal(random.binomial(100, 0), 0);
  assert.equal(random.binomial(0, 0.5), 0);
  assert.equal(random.binomial(100, 1), 100);
  assert.equal(random.poisson(0), 0);
  for (let i = 0; i < 2_000; i += 1) {
    const hits = random.binomial(25, 0.45);
    assert.ok(Number.isInteger(hits) && hits >= 0 && hits <= 25, String(hits));
  }
});

for (const mean of [0.2, 4, 50, 3_000]) {
  test(`events of mean ${mean} have the mean and the variance of a Poisson count`, () => {
    const random = randomFrom(6, mean * 10);
    assertMoments(() => random.poisson(mean), mean, mean);
  });
}
