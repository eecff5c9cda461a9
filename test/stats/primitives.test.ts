import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logBeta, logGamma, stirlingError } from '../../src/stats/log-gamma.ts';
import { logAddExp, logSumExp } from '../../src/stats/log-space.ts';
import { logNormalCdf, normalQuantile } from '../../src/stats/normal.ts';
import { bisect } from '../../src/stats/bisect.ts';
import { assertClose, readVectors } from './vectors.ts';

const { cases, tolerance } = readVectors<{ x: number; p: number }, number>('00_primitives');

for (const { name, fn, input, expected } of cases) {
  test(`the special function matches its worked number: ${name}`, () => {
    const value =
      fn === 'lgamma' ? logGamma(input.x) : fn === 'logNormalCdf' ? logNormalCdf(input.x) : normalQuantile(input.p);
    assertClose(value, expected, tolerance);
  });
}

const tight = { abs: 1e-12, rel: 1e-12 };

test('ln Γ(x + 1) - ln Γ(x) is ln x across the border between recurrence and series', () => {
  for (let x = 0.1; x < 30; x += 0.37) assertClose(logGamma(x + 1) - logGamma(x), Math.log(x), tight, `x ${x}`);
});

test('Stirling’s remainder is one function on both sides of its border', () => {
  for (const x of [9.999999, 10, 10.000001])
    assertClose(stirlingError(x), 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5), { abs: 1e-10, rel: 0 });
});

test('ln B(a, b) is symmetric and B(1, b) is 1/b', () => {
  assertClose(logBeta(3.5, 70), logBeta(70, 3.5), tight);
  assertClose(logBeta(1, 8), -Math.log(8), tight);
});

test('Φ has no step where its series gives way to its continued fraction, and Φ(z) + Φ(-z) is 1', () => {
  for (const z of [0.5, 2.999999999, 3, 3.000000001, 6])
    assertClose(Math.exp(logNormalCdf(z)) + Math.exp(logNormalCdf(-z)), 1, tight);
  assert.ok(Math.abs(logNormalCdf(-3) - logNormalCdf(-2.9999999999)) < 1e-9);
  assert.equal(logNormalCdf(-Infinity), -Infinity);
  assert.ok(logNormalCdf(Infinity) === 0);
});

test('sums of logarithms neither overflow nor underflow', () => {
  assertClose(logSumExp([5000, 5000]), 5000 + Math.LN2, tight);
  assertClose(logSumExp([-5000, -5000]), -5000 + Math.LN2, tight);
  assert.equal(logSumExp([]), -Infinity);
  assert.equal(logSumExp([-Infinity, 3]), 3);
  assert.equal(logSumExp([Infinity, 3]), Infinity);
  assertClose(logAddExp(800, 800), 800 + Math.LN2, tight);
  assert.equal(logAddExp(-Infinity, -Infinity), -Infinity);
  assert.equal(logAddExp(-Infinity, 2), 2);
});

test('what lies outside a domain is refused with what came, never answered with NaN', () => {
  for (const refused of [
    () => logGamma(0),
    () => logGamma(Number.NaN),
    () => logGamma(Infinity),
    () => logNormalCdf(Number.NaN),
    () => normalQuantile(0),
    () => normalQuantile(1),
    () => logSumExp([1, Number.NaN]),
    () => logAddExp(Number.NaN, 0),
    () => bisect(1, 0, () => true),
    () => bisect(0, Infinity, () => true),
  ]) {
    assert.throws(refused, RangeError);
  }
});

test('the median of the normal distribution is 0 and its quantiles mirror each other', () => {
  assert.equal(normalQuantile(0.5), 0);
  assert.equal(normalQuantile(0.75), -normalQuantile(0.25));
});

test('bisection finds a border to the last bit and asks at neither end', () => {
  const asked: number[] = [];
  const root = bisect(0, 2, (x) => (asked.push(x), x * x < 2));
  assert.ok(Math.abs(root - Math.SQRT2) <= Number.EPSILON * 2);
  assert.equal(
    bisect(3, 3, () => true),
    3,
  );
  assert.ok(!asked.includes(0) && !asked.includes(2));
  assert.ok(bisect(0, 1, (x) => x < 1e-300) > 0, 'a border near 0 keeps its relative precision');
});
