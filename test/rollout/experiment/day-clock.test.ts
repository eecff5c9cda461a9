// Days where clocks change, and where they are far from UTC.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as assertProperty, constantFrom, integer, property } from 'fast-check';
import { createDayClock } from '../../../src/rollout/experiment/day-clock.ts';

const zones = [
  'UTC',
  'Asia/Shanghai',
  'Asia/Kathmandu',
  'America/New_York',
  'America/Sao_Paulo',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Africa/Casablanca',
];

const startsIn: readonly [zone: string, day: string, start: string][] = [
  ['UTC', '2026-11-22', '2026-11-22T00:00:00.000Z'],
  ['Asia/Shanghai', '2026-11-22', '2026-11-21T16:00:00.000Z'],
  ['America/New_York', '2026-03-08', '2026-03-08T05:00:00.000Z'],
  ['America/New_York', '2026-03-09', '2026-03-09T04:00:00.000Z'],
  ['America/New_York', '2026-11-01', '2026-11-01T04:00:00.000Z'],
  ['America/New_York', '2026-11-02', '2026-11-02T05:00:00.000Z'],
  // Midnight was skipped: that day began at one in the morning.
  ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z'],
  // This day was skipped as a whole, and the next one began in its place.
  ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00.000Z'],
  ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00.000Z'],
];

for (const [zone, day, start] of startsIn) {
  test(`${day} begins in ${zone} at ${start}`, () => {
    const clock = createDayClock(zone);
    assert.equal(new Date(clock.startOf(Date.parse(day) / 86_400_000)).toISOString(), start);
  });
}

test('the days of a zone are those of the platform, and begin where they begin', () => {
  const clocks = new Map(zones.map((zone) => [zone, createDayClock(zone)]));
  const formats = new Map(zones.map((zone) => [zone, new Intl.DateTimeFormat('sv', { timeZone: zone })]));
  const time = integer({ min: Date.UTC(2010, 0), max: Date.UTC(2030, 0) });
  assertProperty(
    property(constantFrom(...zones), time, (zone, timeMs) => {
      const clock = clocks.get(zone)!;
      const day = clock.dayOf(timeMs);
      assert.equal(new Date(day * 86_400_000).toISOString().slice(0, 10), formats.get(zone)!.format(timeMs));
      assert.ok(clock.startOf(day) <= timeMs && timeMs < clock.startOf(day + 1));
      assert.equal(clock.dayOf(clock.startOf(day)), day);
      assert.ok(clock.dayOf(clock.startOf(day) - 1) < day);
    }),
    { numRuns: 3_000, seed: 20_261_122 },
  );
});

test('a zone that nobody knows is refused', () => {
  assert.throws(() => createDayClock('Mars/Olympus'), RangeError);
});
