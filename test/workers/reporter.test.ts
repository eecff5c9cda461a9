// What a worker says, and when.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TallyBook } from '../../src/telemetry/tally-book.ts';
import type { Report } from '../../src/workers/messages.ts';
import { Reporter } from '../../src/workers/reporter.ts';
import { eventually } from '../support/eventually.ts';

function reporting(t: { after(fn: () => void): void }) {
  const reports: Report[] = [];
  const underWay: (() => void)[] = [];
  const book = new TallyBook();
  const reporter = new Reporter(book, (report, taken) => {
    reports.push(report);
    underWay.push(taken);
  });
  reporter.start();
  t.after(() => void reporter.stop());
  return { reporter, reports, book, take: () => underWay.splice(0).forEach((taken) => taken()) };
}

test('nothing new is sent before the control process has taken what was sent', async (t) => {
  const { reporter, reports, take } = reporting(t);
  reporter.log('one\n');
  await eventually('the first report', () => reports.length === 1);
  reporter.log('two\n');
  reporter.log('three\n');
  // Longer than between two reports.
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(reports.length, 1);
  take();
  await eventually('the second report', () => reports.length === 2);
  assert.deepEqual(
    reports.map(({ log }) => log),
    ['one\n', 'two\nthree\n'],
  );
});

test('counts and sayings are said once, in their order', async (t) => {
  const { reporter, reports, book, take } = reporting(t);
  book.unmatched.counted(404, 'GET');
  reporter.say(['unread', 1]);
  reporter.say(['happened', 2]);
  await eventually('a report', () => reports.length > 0);
  take();
  void reporter.stop();
  assert.deepEqual(
    reports.flatMap(({ said }) => said),
    [
      ['unread', 1],
      ['happened', 2],
    ],
  );
  assert.equal(reports.flatMap(({ tallies }) => tallies).length, 1);
});

test('the last report comes also while another one is under way', async (t) => {
  const { reporter, reports } = reporting(t);
  reporter.log('one\n');
  await eventually('the first report', () => reports.length === 1);
  reporter.log('last words\n');
  void reporter.stop();
  assert.equal(reports.at(-1)!.log, 'last words\n');
});

test('what is asked for is handed over also while another report is under way, and once', async (t) => {
  const { reporter, reports } = reporting(t);
  reporter.log('one\n');
  await eventually('the first report', () => reports.length === 1);
  reporter.log('two\n');
  reporter.handOver();
  reporter.handOver();
  assert.deepEqual(
    reports.map(({ log }) => log),
    ['one\n', 'two\n'],
  );
});

test('while the control process takes nothing, what waits is bounded', async (t) => {
  const { reporter, reports } = reporting(t);
  reporter.log('one\n');
  await eventually('the first report', () => reports.length === 1);
  const line = `${'x'.repeat(1_048_575)}\n`;
  for (let i = 0; i < 100; i += 1) reporter.log(line);
  for (let i = 0; i < 150_000; i += 1) reporter.say(['unread', i]);
  void reporter.stop();
  const { log, said } = reports.at(-1)!;
  assert.equal(log.length, 32 * 1_048_576);
  assert.equal(said.length, 100_000);
});
