// `graygate simulate` as a user runs it: made-up users, an access log, a list of IDs, and two policies beside each other.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runHere } from './run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'graygate-simulate-'));
after(() => rmSync(folder, { recursive: true }));

const config = ['--config', 'config/rehearsal.yaml'];

type Report = {
  anonymousCount: number;
  rollouts: {
    rollout: string;
    userCount: number;
    steps: { name: string; percent: number; users: Record<string, number>; moved: number; changed: object[] | null }[];
  }[];
};

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

async function report(args: readonly string[]): Promise<Report> {
  const { code, stdout, stderr } = await runHere(['simulate', ...args, '--json']);
  assert.deepEqual([code, stderr], [0, '']);
  return JSON.parse(stdout);
}

test('made-up users fall to the versions as the percents say, at each stage of each rollout', async () => {
  const { rollouts } = await report([...config, '--users', '2000']);
  assert.deepEqual(
    rollouts.map(({ rollout, userCount, steps }) => [rollout, userCount, steps.map(({ percent }) => percent)]),
    [
      ['default', 2_000, [1, 5, 25, 50, 100]],
      ['strict', 2_000, [1, 5, 25, 50, 100]],
      ['five-percent', 2_000, [5, 100]],
    ],
  );
  for (const { percent, users } of rollouts[0]!.steps)
    assert.ok(Math.abs(users['canary']! - 20 * percent) < 75, `${users['canary']} at ${percent} %`);
});

test('people get a table of one rollout, with the users that each stage moves', async () => {
  const { stdout } = await runHere(['simulate', 'default', ...config, '--users', '1000']);
  assert.match(stdout, /^default: 1,000 users\n\nstage +percent +stable +canary +by rule +moved\nfirst +1 % /);
  assert.match(stdout, /\nfull +100 % +0 \(0 %\) +1,000 \(100 %\) +0 +\d+\n$/);
});

test('of a split among several candidates the percent of each is shown', async () => {
  const versions = ['stable', 'blue', 'green', 'idle'].map(
    (name, i) => `${name}: { servers: http://127.0.0.1:${i + 1} }`,
  );
  const head = `version: 1\nlisten: 127.0.0.1:0\nrollouts:\n  - name: shop\n    versions: { ${versions.join(', ')} }\n`;
  const file = write('several.yaml', `${head}    split: { blue: 20, green: 10 }\n`);
  const { stdout } = await runHere(['simulate', '--config', file, '--users', '1000']);
  assert.match(stdout, /\nsplit +20 \+ 10 % +\d+ \(\d+/);
});

test('an access log gives each rollout its own users, once each', async () => {
  const lines = [
    { msg: 'graygate is ready' },
    { msg: 'request', rollout: 'strict', user: 'u-1' },
    { msg: 'request', rollout: 'strict', user: 'u-1' },
    { msg: 'request', rollout: 'default', user: '李雷' },
    { msg: 'request', rollout: 'default', user: null },
  ].map((line) => JSON.stringify(line));
  const log = write('access.log', `${lines.join('\n')}\n{"cut off\n`);
  const { rollouts, anonymousCount } = await report([...config, '--log', log]);
  assert.deepEqual([rollouts.map(({ userCount }) => userCount), anonymousCount], [[1, 1, 0], 1]);
  const { stdout } = await runHere(['simulate', 'default', ...config, '--log', log]);
  assert.match(stdout, /\n1 requests of the log had no user ID and are left out\n$/);
});

test('a list with one ID a line is taken for every rollout', async () => {
  const list = write('users.txt', 'u-1\n\n  u-2\nu-1\n');
  const { rollouts } = await report([...config, '--log', list]);
  assert.deepEqual(
    rollouts.map(({ userCount }) => userCount),
    [2, 2, 2],
  );
});

test('--against says whom an edit would move: everyone in play for another salt, nobody for another stage', async () => {
  const text = readFileSync('config/rehearsal.yaml', 'utf8');
  const salted = write('salted.yaml', text.replace('- name: default', '- name: default\n    salt: other'));
  const { rollouts } = await report(['default', ...config, '--users', '1000', '--against', salted]);
  assert.ok(rollouts[0]!.steps[3]!.changed!.length === 2 && rollouts[0]!.steps[4]!.changed!.length === 0);
  const { stdout } = await runHere(['simulate', 'default', ...config, '--users', '1000', '--against', salted]);
  assert.match(stdout, /moved by the edit\n/);
  assert.match(stdout, /\nhalf .* \d+ (stable → canary|canary → stable), \d+ /);
  assert.match(stdout, /\nfull .* nobody\n/);
  const slower = write('slower.yaml', text.replace('percent: 25', 'percent: 30'));
  const same = await report(['default', ...config, '--users', '1000', '--against', slower]);
  assert.ok(same.rollouts[0]!.steps.every(({ changed }) => changed!.length === 0));
});

test('wrong usage is exit code 2, a bad policy to compare with is 1', async () => {
  const wrong: [string[], RegExp][] = [
    [[], /expected one of --users and --log/],
    [['--users', '10', '--log', 'x'], /expected one of --users and --log/],
    [['--log', join(folder, 'none.log')], /expected --log to be a file that can be read: ENOENT/],
    [['--users', '10', '--against', 'config/minimal.yaml'], /no rollout "default"; it has shop/],
  ];
  for (const [args, said] of wrong) {
    const { code, stdout, stderr } = await runHere(['simulate', ...config, ...args]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, said);
  }
  const bad = write('bad.yaml', 'version: 1\n');
  assert.equal((await runHere(['simulate', ...config, '--users', '10', '--against', bad])).code, 1);
});
