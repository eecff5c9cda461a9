import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { parseCount, parseDuration, parsePercent, parseSize } from '../../src/config/quantities.ts';
import type { Reading } from '../../src/config/reading.ts';

const valueOf = <T>(reading: Reading<T>): T | string => (reading.ok ? reading.value : reading.problem);

suite('durations', () => {
  const good: [string, number][] = [
    ['250ms', 250],
    ['30s', 30_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1.5s', 1_500],
    ['0.001s', 1],
    ['0s', 0],
  ];
  for (const [written, ms] of good)
    test(`${written} is ${ms} ms`, () => assert.equal(valueOf(parseDuration(written)), ms));

  for (const written of [
    '',
    '30',
    30,
    's',
    '30 s',
    '30S',
    '1h30m',
    '-1s',
    '1e3s',
    '+1s',
    '.5s',
    '5.s',
    '١s',
    'Infinitys',
    null,
    true,
  ]) {
    test(`${String(written)} (${typeof written}) is refused`, () => assert.equal(parseDuration(written).ok, false));
  }

  test('a fraction of a millisecond is refused', () => {
    assert.equal(valueOf(parseDuration('0.5ms')), 'is not a whole number of milliseconds');
  });

  test('every whole number of every unit is that many of it', () => {
    const units = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
    fc.assert(
      fc.property(fc.nat(999_999), fc.constantFrom(...Object.entries(units)), (count, [unit, ms]) => {
        assert.equal(valueOf(parseDuration(`${count}${unit}`)), count * ms);
      }),
      { seed: 2 },
    );
  });

  test('thousandths of a second are exact, whatever floating point makes of them', () => {
    fc.assert(
      fc.property(fc.nat(9_999_999), (ms) => {
        assert.equal(valueOf(parseDuration(`${Math.floor(ms / 1_000)}.${String(ms % 1_000).padStart(3, '0')}s`)), ms);
      }),
      { seed: 3 },
    );
  });
});

suite('sizes', () => {
  const good: [string, number][] = [
    ['1B', 1],
    ['512KiB', 524_288],
    ['16MiB', 16_777_216],
    ['2GiB', 2_147_483_648],
    ['0.5KiB', 512],
  ];
  for (const [written, bytes] of good)
    test(`${written} is ${bytes} bytes`, () => assert.equal(valueOf(parseSize(written)), bytes));

  for (const written of ['', '16', 16, '16KB', '16kib', '16 MiB', '-1B', '0.5B', 'B', null]) {
    test(`${String(written)} (${typeof written}) is refused`, () => assert.equal(parseSize(written).ok, false));
  }

  test('a decimal unit gets the binary one as a hint', () => {
    for (const written of ['16KB', '16k', '16 kib', '16K']) {
      const reading = parseSize(written);
      assert.equal(reading.ok ? null : reading.hint, 'did you mean the unit KiB?');
    }
  });

  test('every whole number of every unit is that many of it', () => {
    fc.assert(
      fc.property(fc.nat(999_999), fc.constantFrom('B', 'KiB', 'MiB', 'GiB'), (count, unit) => {
        const factor = 1_024 ** ['B', 'KiB', 'MiB', 'GiB'].indexOf(unit);
        assert.equal(valueOf(parseSize(`${count}${unit}`)), count * factor);
      }),
      { seed: 4 },
    );
  });
});

suite('percents', () => {
  const good: [unknown, number][] = [
    [10, 10],
    [0, 0],
    [100, 100],
    [0.01, 0.01],
    [99.99, 99.99],
    ['12.5%', 12.5],
    ['10', 10],
    ['100%', 100],
    ['0.070', 0.07],
  ];
  for (const [written, percent] of good) {
    test(`${JSON.stringify(written)} is ${percent} percent`, () =>
      assert.equal(valueOf(parsePercent(written)), percent));
  }

  for (const written of [
    -1,
    -0.01,
    100.01,
    0.001,
    12.345,
    Number.NaN,
    Infinity,
    '',
    '%',
    '10 %',
    '1e1',
    '-1',
    '12,5',
    '101%',
    null,
    true,
  ]) {
    test(`${String(written)} (${typeof written}) is refused`, () => assert.equal(parsePercent(written).ok, false));
  }

  test('every bucket count is a percent, as a number and as text, and no float noise is left in it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (buckets) => {
        for (const written of [buckets / 100, buckets * 0.01, `${(buckets / 100).toFixed(2)}%`]) {
          const percent = valueOf(parsePercent(written));
          assert.equal(percent, buckets / 100);
        }
      }),
      { seed: 5, numRuns: 2_000 },
    );
  });

  test('what is finer than a bucket is refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999 }), fc.integer({ min: 1, max: 9 }), (buckets, tenths) => {
        assert.equal(parsePercent(`${(buckets / 100).toFixed(2)}${tenths}`).ok, false);
      }),
      { seed: 6 },
    );
  });
});

test('counts are whole and at least 1', () => {
  assert.equal(valueOf(parseCount(1)), 1);
  assert.equal(valueOf(parseCount('12')), 12);
  for (const written of [0, -1, 1.5, Infinity, Number.NaN, '', '1.0', '0x10', ' 1', true, null]) {
    assert.equal(parseCount(written).ok, false, String(written));
  }
});
