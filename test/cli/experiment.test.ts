// `graygate experiment` against a real admin port whose figures are given.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { experimentLines } from '../../src/cli/experiment-text.ts';
import { reportOf } from '../../src/rollout/experiment-report/report-of.ts';
import type { ExperimentFigures } from '../../src/rollout/experiment.ts';
import { openAdminPort } from '../admin/admin-port.ts';
import {
  conversion,
  counted,
  dayMs,
  experiment,
  figures,
  proportion,
} from '../rollout/experiment-report/experiments.ts';
import { runToEnd } from './run-here.ts';

const clear = figures([counted(conversion, [proportion(20_000, 1_000), proportion(20_000, 1_300)])]);
const lost = { ...clear, phases: [{ beganMs: 0, percents: [50, 50], exposed: [20_000, 18_000] }] };
const canvas = { width: Infinity, paint: (style: unknown, text: string) => `<${String(style)}>${text}</>` };

async function asking(seen: ExperimentFigures | null = clear) {
  const { rooms, port } = await openAdminPort();
  rooms.experiment = seen === null ? null : experiment();
  rooms.figures = seen;
  return (...args: string[]) => runToEnd(['experiment', 'shop', '--url', `http://127.0.0.1:${port}`, ...args]);
}

test('the report is a table with both figures, the lift, its interval and a verdict in words', async () => {
  const graygate = await asking();
  const { code, stdout, stderr } = await graygate();
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^shop {3}release 2\.4\.0 · /);
  assert.match(stdout, /\ncanary wins: canary is better than stable: 6\.5 % against 5 %, \+30 % \(/);
  assert.match(stdout, /\nmetric +stable +canary +lift +interval +verdict\n/);
  assert.match(stdout, /\nConversion: purchase within 1 d \* +5 % +6\.5 % +\+30 % +\+[\d.]+ % … \+[\d.]+ % +better\n/);
});

test('it can be had in Chinese, as JSON, as CSV, as a page, and in a file', async (t: TestContext) => {
  const graygate = await asking();
  assert.match((await graygate('--lang', 'zh')).stdout, /canary 胜出：canary 比 stable 更好/);
  const json = JSON.parse((await graygate('--json')).stdout) as { decision: { version: string } };
  assert.equal(json.decision.version, 'canary');
  assert.match((await graygate('--csv')).stdout, /^rollout,release/);
  const folder = await mkdtemp(join(tmpdir(), 'graygate-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'shop.html');
  const written = await graygate('--html', '--lang', 'zh', '-o', file);
  assert.deepEqual([written.code, written.stdout], [0, '']);
  assert.match(await readFile(file, 'utf8'), /<html lang="zh-CN">[^]*实验报告：shop/);
  const table = join(folder, 'shop.csv');
  await graygate('--csv', '-o', table);
  assert.match(await readFile(table, 'utf8'), /^\uFEFFrollout,release/, 'spreadsheets know UTF-8 by its mark');
  const nowhere = await graygate('-o', join(folder, 'no', 'folder'));
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /expected a file that can be written, got .*: ENOENT/);
});

test('what cannot be is refused with the exit codes of every verb', async () => {
  const graygate = await asking(null);
  const none = await graygate();
  assert.deepEqual([none.code, none.stdout], [1, '']);
  assert.match(none.stderr, /^graygate: rollout "shop" counts no events and asks for no experiment\n$/);
  assert.equal((await graygate('--html')).code, 1);
  assert.equal((await graygate('--json', '--csv')).code, 2);
  assert.equal((await graygate('--lang', 'fr')).code, 2);
  assert.equal((await runToEnd(['experiment', 'shop', '--url', 'http://127.0.0.1:1'])).code, 3);
});

test('users who do not fall as the split says are the first thing that is said, in red', () => {
  const lines = experimentLines(reportOf(lost, experiment(), 10 * dayMs), 'en', canvas);
  assert.match(
    lines[0]!,
    /^<red>Users do not fall to the versions as the split says: stable 20,000 \(expected 19,000\)/,
  );
  assert.ok(lines.some((line) => line.includes('<yellow>frozen</>')));
  const sane = experimentLines(reportOf(clear, experiment(), 10 * dayMs), 'en', canvas);
  assert.ok(!sane.some((line) => line.includes('<red>')));
});

test('the sentences name the metric that decides, and say how many users are still waited for', () => {
  const revenue = { kind: 'revenue', name: 'value-revenue', event: 'purchase', cap: 500 } as const;
  const value = { ...revenue, kind: 'value', name: 'value' } as const;
  const nobody = [proportion(0, 0), proportion(0, 0)];
  const metrics = [conversion, value, revenue] as const;
  const seen = figures([
    { ...counted(conversion, nobody), waiting: [2_000, 2_001] },
    counted(value, nobody),
    counted(revenue, nobody),
  ]);
  const lines = experimentLines(reportOf(seen, experiment({ metrics }), 10 * dayMs), 'en', canvas);
  const lineOf = (start: string): string | undefined => lines.findLast((line) => line.startsWith(start));
  assert.match(
    lineOf('Conversion')!,
    /: stable has 0 of 100 users whose outcome is known, canary has 0 of 100 users whose outcome is known; 4,001 users whose outcome is not known yet$/,
  );
  assert.match(lineOf('Average value')!, /; decide by "Revenue a user: purchase, cap 500", not by this$/);
});

test('with several candidates each row names its own, and sentences keep to the width', () => {
  const three = figures([
    counted(conversion, [proportion(9_000, 450), proportion(9_000, 540), proportion(9_000, 455)]),
  ]);
  const lines = experimentLines(reportOf(three, experiment(), 10 * dayMs), 'en', {
    ...canvas,
    width: 60,
    paint: (_, text) => text,
  });
  assert.ok(lines.some((line) => /^metric +version +stable +figure/.test(line)));
  assert.ok(lines.some((line) => / third +5 % +5\.06 %/.test(line)));
  const sentences = lines.filter((line) => !/ {3}/.test(line));
  assert.ok(Math.max(...sentences.map(({ length }) => length)) <= 60);
});
