import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from '../../bench/options.ts';
import { reportTable, type Round } from '../../bench/report.ts';
import { median, pairedRatio } from '../../bench/statistics.ts';

function rounds(...cpu: number[]): Round[] {
  const rest = { requestsPerSecond: 1000, p50Ms: 1, p99Ms: 2, residentBytes: 50e6, failures: 0 };
  return cpu.map((cpuMicrosecondsPerRequest) => ({ ...rest, cpuMicrosecondsPerRequest }));
}

test('a median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('ratios are taken within a round, so that a slow round counts for both', () => {
  assert.equal(pairedRatio([30, 300, 36], [10, 100, 10]), 3);
});

test('a line a proxy has its median CPU time and its ratio to each reference that ran', () => {
  const table = reportTable(
    new Map([
      ['graygate', rounds(30, 33, 60)],
      ['nginx', rounds(10, 11, 20)],
    ]),
  );
  const [head, graygate, nginx] = table.split('\n').map((line) => line.split(/ {2,}/));
  assert.deepEqual(head?.slice(-2), ['failed', '× nginx']);
  assert.deepEqual([graygate?.[0], graygate?.[1], graygate?.at(-1)], ['graygate', '33.0', '3.00']);
  assert.deepEqual([nginx?.[0], nginx?.[1], nginx?.at(-1)], ['nginx', '11.0', '1.00']);
});

test('failed requests are added up, not hidden behind a median', () => {
  const failing = rounds(10, 10, 10).map((round, index) => Object.assign(round, { failures: index === 0 ? 7 : 0 }));
  assert.match(reportTable(new Map([['nginx', failing]])), /\n.* 7 /);
});

test('the default run stays under 90 seconds with all five proxies', () => {
  const { rounds: count, seconds } = parseOptions([]);
  assert.ok(5 * (count * seconds + 2) < 85);
});

for (const [args, message] of [
  [['--case', 'get-2k'], /--case: expected get-1k, post-10k, get-100k, .*, got "get-2k"/],
  [['--rounds', '0'], /--rounds: expected a whole number from 1, got "0"/],
  [['--seconds', '1.5'], /--seconds: expected a whole number from 1/],
] as const) {
  test(`${args.join(' ')} is refused with what was expected`, () => {
    assert.throws(() => parseOptions([...args]), message);
  });
}
