// How status looks: plain text made of what the API says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { styleText } from 'node:util';
import { widthOf } from '../../src/cli/display-width.ts';
import type { ShownRollout } from '../../src/admin/contract.ts';
import { type Canvas, canvasOf } from '../../src/cli/paint.ts';
import { Redraw } from '../../src/cli/redraw.ts';
import { statusBlock } from '../../src/cli/status-block.ts';
import { statusOverview } from '../../src/cli/status-overview.ts';
import { comparison, source } from '../support/rollout-machine.ts';
import { shownRollout, shownState, shownVersion } from './shown-rollouts.ts';

type Verdict = NonNullable<ShownRollout['checks'][number]['verdict']>;

const pipe: Canvas = { width: Infinity, paint: (_, text) => text };

test('one rollout is shown with its place, the reason of it, what holds it, both versions and every check', () => {
  assert.deepEqual(statusBlock(shownRollout(), pipe, 65_000), [
    'shop   progressing · some (2 of 3) · 20 % on canary · release 2.4.0 · revision 7',
    'for     4 s here: canary goes from 5 % to 20 % (stage some): held 10 s',
    'now     held 4 s of 10 s',
    '',
    'version   users   requests/s   errors     p50       p95      p99',
    'stable     80 %         46.5    0.1 %   21 ms   38.4 ms   103 ms',
    'canary     20 %         46.5    4.9 %   21 ms   41.2 ms   103 ms',
    '',
    'check        role    verdict',
    'error-rate   guard   not enough data   canary fails 4.9 % of requests, stable 0.1 %; 62 canary requests are not enough',
  ]);
});

test('a rollout with an experiment says where it stands, and any other nothing', () => {
  const open = {
    metric: 'conversion',
    winner: null,
    isOver: false,
    sentence: 'not enough data on canary: it has run 2 d of 7 d',
  };
  const shop = shownRollout({ experiment: open });
  assert.deepEqual(statusBlock(shop, pipe, 65_000).slice(-2), [
    '',
    'experiment   conversion: not decided: not enough data on canary: it has run 2 d of 7 d',
  ]);
  const kept = shownRollout({ experiment: { ...open, winner: 'stable', sentence: 'canary is worse than stable' } });
  assert.match(statusBlock(kept, pipe, 65_000).at(-1)!, /conversion: stable stays: canary is worse than stable$/);
  const won = { ...open, winner: 'canary', isOver: true, sentence: 'canary is better than stable: 6 % against 5 %' };
  const told = statusOverview([shownRollout({ experiment: won }), shownRollout({ name: 'api' })], {
    ...pipe,
    width: 60,
  });
  assert.deepEqual(told.length, 6);
  assert.equal(told[3], '  experiment: conversion: over, canary wins: canary is bett…');
});

test('a rollout that is paused, frozen and not saved says so', () => {
  const state = shownState({
    phase: 'paused',
    reason: 'canary is paused at 20 %, by ops: 午饭',
    paused: { resumeTo: 'progressing', cause: 'person', check: null },
    frozenSinceMs: 5_000,
    saved: false,
  });
  const lines = statusBlock(shownRollout({ state, holds: state.reason }), pipe, 65_000);
  assert.deepEqual(lines.slice(1, 6), [
    'for     4 s here: canary is paused at 20 %, by ops: 午饭',
    'then    progressing, once it is resumed',
    'frozen  for 1 min',
    'store   it has not taken the last change yet',
    '',
  ]);
});

test('where nothing is known yet a dash stands, and a rollout that has not begun says so', () => {
  const silent = { requestsPerSecond: 0, errorRatio: null, p50Ms: null, p95Ms: null, p99Ms: null };
  const checks = shownRollout().checks.map((check) => ({ ...check, verdict: null }));
  const versions = [shownVersion({}, silent)];
  const lines = statusBlock(shownRollout({ state: null, holds: null, checks, versions }), pipe, 65_000);
  assert.equal(lines[0], 'shop   not begun · release 2.4.0 · revision 7');
  assert.equal(lines[1], 'now     it has not begun yet');
  assert.match(lines[4]!, /^stable +80 % +0\.0 +– +– +– +–$/);
  assert.match(lines.at(-1)!, /^error-rate {3}guard {3}not judged yet {3}–$/);
});

test('servers are counted where it is known whether they are up', () => {
  const servers = [true, false, null].map((up, i) => ({
    origin: `http://10.0.0.${i}:1`,
    weight: 1,
    up,
    addresses: [],
  }));
  const lines = statusBlock(shownRollout({ versions: [shownVersion({ servers })] }), pipe, 65_000);
  assert.match(lines[4]!, /servers$/);
  assert.match(lines[5]!, /2 of 3 up$/);
});

test('where several candidates are watched a check says of which one it is', () => {
  const [check] = shownRollout().checks;
  const several = shownRollout({ checks: [check!, { ...check!, version: 'green' }] });
  const lines = statusBlock(several, pipe, 65_000).filter((line) => line.includes('guard'));
  assert.deepEqual(
    lines.map((line) => line.slice(0, line.indexOf('guard')).trim()),
    ['error-rate of canary', 'error-rate of green'],
  );
  assert.match(statusOverview([several], pipe)[1]!, /error-rate of canary: .*, error-rate of green: /);
});

const several = {
  state: shownState({ phase: 'steady', percent: 20, reason: 'release 2 begins: canary and green are steady' }),
  holds: null,
  versions: [
    shownVersion({ name: 'stable', percent: 69.9 }),
    shownVersion({ name: 'canary', role: 'candidate', percent: 20, health: { kind: 'up' } }),
    shownVersion({ name: 'green', role: 'candidate', percent: 10.1, health: { kind: 'up' } }, { errorRatio: 0.3 }),
    shownVersion({ name: 'idle', role: 'candidate', percent: 0 }),
  ],
} as const;

/** A verdict of each check of `canary` and `green`. */
function severalWith(...verdicts: readonly (Verdict | null)[]): ShownRollout {
  const [check] = shownRollout().checks;
  const checks = verdicts.map((verdict, i) => ({ ...check!, version: i % 2 === 0 ? 'canary' : 'green', verdict }));
  return shownRollout({ ...several, checks });
}

const worstIn = (rollout: ShownRollout): string | undefined =>
  statusBlock(rollout, pipe, 65_000).find((line) => line.startsWith('worst'));

test('of several candidates the headline says how many there are, and a line which one looks worst', () => {
  const rollout = severalWith(comparison('pass'), comparison('fail', { version: 'green' }));
  const [headline] = statusBlock(rollout, pipe, 65_000);
  assert.match(headline!, /^shop {3}steady · some \(2 of 3\) · 30\.1 % on 2 candidates · release 2\.4\.0 · /);
  assert.equal(worstIn(rollout), 'worst   green of 2 candidates, by error-rate, which fails');
  const told = statusOverview([rollout], pipe);
  assert.match(told[1]!, / 30\.1 % +186 +0\.1 % → 30 % /, 'with the figures of the worst');
  assert.equal(told[3], '  worst: green of 2 candidates, by error-rate, which fails');
});

const near = (logHarm: number) => comparison('not-enough-data', { logHarm });
const rows: readonly (readonly [name: string, verdicts: readonly (Verdict | null)[], said: string | undefined])[] = [
  ['more evidence', [near(1.15), near(0.46)], 'canary of 2 candidates, by error-rate: 25 % of what fails it'],
  ['evidence for both', [near(-2), near(-1)], 'none of 2 candidates looks worse than the baseline'],
  ['no evidence', [near(-2), near(0)], 'none of 2 candidates looks worse than the baseline'],
  [
    'a failing signal',
    [near(4.5), comparison('fail', { role: 'signal' })],
    'green of 2 candidates, by error-rate, which fails',
  ],
  [
    'a failing guard beside a failing signal',
    [comparison('fail', { role: 'signal' }), comparison('fail')],
    'green of 2 candidates, by error-rate, which fails',
  ],
  [
    'one source that fails for both, and more evidence beside it',
    [source('fail'), source('fail'), near(0.1), near(0.2)],
    'green of 2 candidates, by error-rate, which fails',
  ],
  [
    'two bad answers of three',
    [near(0.1), source('not-enough-data')],
    'canary of 2 candidates, by error-rate: 2.2 % of what fails it',
  ],
  ['nothing judged yet', [null, null], undefined],
];

for (const [name, verdicts, said] of rows)
  test(`which candidate looks worst: ${name}`, () =>
    assert.equal(worstIn(severalWith(...verdicts)), said === undefined ? undefined : `worst   ${said}`));

test('a candidate whose servers refuse connections looks worst', () => {
  const rollout = severalWith(near(1), near(0));
  const versions = rollout.versions.map((version) =>
    version.name === 'green' ? { ...version, health: { kind: 'refused', sinceMs: 1 } as const } : version,
  );
  const said = worstIn({ ...rollout, versions });
  assert.equal(said, 'worst   green of 2 candidates, by its servers, which refuse connections');
});

test('several that were rolled back are still named, and one that alone has users is the one that is shown', () => {
  const rollout = severalWith(comparison('pass'), comparison('fail'));
  const back = rollout.versions.map((version) => ({ ...version, percent: version.role === 'baseline' ? 100 : 0 }));
  const state = shownState({ phase: 'rolled-back', percent: 0 });
  assert.match(statusBlock({ ...rollout, state, versions: back }, pipe, 65_000)[0]!, / · 0 % on 2 candidates · /);
  const alone = rollout.versions.map((version) => (version.name === 'canary' ? { ...version, percent: 0 } : version));
  const shown = { ...rollout, versions: alone, state: shownState({ phase: 'steady', percent: 0 }) };
  assert.match(statusBlock(shown, pipe, 65_000)[0]!, / · 10\.1 % on green · /);
  assert.equal(worstIn(shown), undefined);
});

test('Chinese names and sentences keep the columns straight and the lines inside the width', () => {
  const [check] = shownRollout().checks;
  const sentence = '新版本的错误率太高了，请看一下日志和监控，然后再决定要不要继续';
  const chinese = { ...check!, name: '错误率', verdict: { ...check!.verdict!, sentence } };
  const canvas: Canvas = { ...pipe, width: 70 };
  const lines = statusBlock(shownRollout({ checks: [check!, chinese] }), canvas, 65_000);
  const from = lines.findIndex((line) => line.startsWith('check'));
  const table = lines.slice(from);
  for (const line of table) assert.ok(widthOf(line) <= 70, line);
  const [first, second] = table.filter((line) => line.includes('guard'));
  assert.equal(columnOf(first!), columnOf(second!));
  const told = table
    .slice(table.indexOf(second!))
    .map((line) => line.slice(line.startsWith(' ') ? 0 : line.lastIndexOf('  ')));
  assert.equal(told.join('').replaceAll(' ', ''), sentence);
});

test('of several rollouts each has a row, its sentence below it, cut to the width', () => {
  const other = shownRollout({ name: 'checkout', holds: 'held 深圳深圳深圳深圳深圳深圳', checks: [] });
  const lines = statusOverview([shownRollout(), other], { ...pipe, width: 24 });
  assert.deepEqual(lines, [
    'rollout    phase         stage           percent   requests/s          errors                 p95   checks',
    'shop       progressing   some (2 of 3)      20 %         93.1   0.1 % → 4.9 %   38.4 ms → 41.2 ms   error-rate: not enough data',
    '  held 4 s of 10 s',
    'checkout   progressing   some (2 of 3)      20 %         93.1   0.1 % → 4.9 %   38.4 ms → 41.2 ms   –',
    '  held 深圳深圳深圳深圳…',
  ]);
  assert.deepEqual(statusOverview([], pipe), ['there is no rollout in the policy']);
});

test('text from elsewhere cannot steer the terminal', () => {
  const state = shownState({ reason: 'by ops: \x1b[2J\nboo' });
  const rollout = shownRollout({ state, holds: null, release: '\x1b[31m2' });
  for (const line of [...statusBlock(rollout, pipe, 0), ...statusOverview([rollout], pipe)]) {
    assert.doesNotMatch(line, /\p{Control}/u);
  }
});

test('colours are for terminals whose user has not forbidden them', () => {
  const output = { write: () => undefined };
  const coloured = styleText('red', 'x', { validateStream: false });
  assert.equal(red(canvasOf({ ...output, isTTY: true, columns: 90 }, { env: {} })), coloured);
  assert.equal(red(canvasOf({ ...output, isTTY: true }, { env: { NO_COLOR: '1' } })), 'x');
  assert.equal(red(canvasOf({ ...output, isTTY: true }, { env: { TERM: 'dumb' } })), 'x');
  assert.equal(red(canvasOf(output, { env: {} })), 'x');
  assert.equal(canvasOf({ ...output, isTTY: true, columns: 90 }, { env: {} }).width, 90);
  assert.equal(canvasOf(output, { env: {} }).width, Infinity);
});

test('a drawing goes over the one before, and is no higher than the terminal', () => {
  const written: string[] = [];
  const redraw = new Redraw({ isTTY: true, rows: 3, write: (text) => written.push(text) });
  redraw.draw(['one']);
  redraw.draw(['one', 'two', 'three']);
  redraw.draw(['end']);
  assert.deepEqual(written, [
    '\r\x1b[J\x1b[?7lone\x1b[?7h\n',
    '\x1b[1A\r\x1b[J\x1b[?7lone\ntwo\x1b[?7h\n',
    '\x1b[2A\r\x1b[J\x1b[?7lend\x1b[?7h\n',
  ]);
});

/** Where the second column begins. */
function columnOf(line: string): number {
  return widthOf(line.slice(0, line.indexOf('guard')));
}

function red({ paint }: Canvas): string {
  return paint('red', 'x');
}
