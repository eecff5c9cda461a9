import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Screen } from '../../../src/cli/demo/screen.ts';
import { addTallies, statusText } from '../../../src/cli/demo/status-text.ts';
import type { VersionTally } from '../../../src/cli/demo/traffic-tally.ts';
import { noVersion } from '../../../src/cli/demo/traffic.ts';

test('on a terminal the status is written over, cut to the width, and moved below text and log lines', () => {
  const written: string[] = [];
  const screen = new Screen(
    { isTTY: true, columns: 8, write: (text) => written.push(text) },
    { write: (text) => written.push(`log ${text}`) },
  );
  screen.say('hello');
  screen.showStatus('123456789');
  screen.say('news');
  screen.log('trouble\n');
  screen.showStatus('');
  screen.say('end');
  const clear = '\r\x1b[K';
  assert.deepEqual(written, [
    'hello\n',
    `${clear}123456…`,
    clear,
    'news\n',
    '123456…',
    clear,
    'log trouble\n',
    '123456…',
    clear,
    'end\n',
  ]);
});

test('on a pipe there is no status and no control character', () => {
  let written = '';
  const output = { write: (text: string) => (written += text) };
  const screen = new Screen(output, output);
  screen.showStatus('123');
  screen.say('news');
  screen.log('trouble\n');
  assert.equal(written, 'news\ntrouble\n');
});

test('tallies of several stretches add up by version, and are told as shares', () => {
  const sum = addTallies([
    [tally('stable', 60, 0), tally(noVersion, 5, 5)],
    [tally('canary', 20, 5), tally('stable', 15, 3)],
  ]);
  assert.deepEqual(sum, [tally('canary', 20, 5), tally(noVersion, 5, 5), tally('stable', 75, 3)]);
  const told =
    '100 requests: canary 20.0 % (25.0 % failed), 5 without an answer from a version, stable 75.0 % (4.0 % failed)';
  assert.equal(statusText(sum), told);
  assert.equal(statusText(addTallies([])), 'no generated requests yet');
});

function tally(version: string, requestCount: number, failureCount: number): VersionTally {
  return { version, requestCount, failureCount };
}
