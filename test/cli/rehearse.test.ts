// `graygate rehearse` as a user runs it, with the policy that the documents rehearse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import type { SeriesSummary } from '../../src/rollout/rehearsal/series.ts';
import { runToEnd } from './run-here.ts';

const config = ['--config', 'config/rehearsal.yaml', '--rps', '200'];

test('one rehearsal prints what is assumed, every change with its time and reason, and what it cost', async () => {
  const { code, stdout, stderr } = await runToEnd(['rehearse', 'default', ...config, '--harm', 'errors=20']);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^default: 200 requests a second of 100,000 users; 0\.1 % fail; latency 60 ms, p99 24\d ms\n/);
  assert.match(stdout, /\ncanary fails 20 % of its requests\n/);
  assert.match(stdout, /\n0:00:00 {3}begin \(1 %\) +release \w+ begins: canary is progressing at 1 %/);
  assert.match(
    stdout,
    /\n0:00:\d\d {3}rollback \(0 %\) +canary is rolled back from 1 %: canary fails \d+ % of requests/,
  );
  assert.match(stdout, /\nend +rolled-back after \d+ s\n/);
  assert.match(stdout, /\nfound +\d+ s after the harm began, \d+ canary requests; any test needs \d+ on average\n/);
  assert.match(stdout, /\nFlagger rule +rolls back after \d+ min/);
});

test('--json prints one object with the same, and a seed gives it again', async () => {
  const args = ['rehearse', 'default', ...config, '--harm', 'errors=20,latency=1.5x', '--at', '5m', '--json'];
  const [one, same, other] = await Promise.all([[], [], ['--seed', '2']].map((more) => runToEnd([...args, ...more])));
  assert.equal(one!.stdout, same!.stdout);
  assert.notEqual(one!.stdout, other!.stdout);
  const report: {
    rollout: string;
    scenario: { harm: object };
    end: { phase: string; atMs: number; reason: string };
    changes: { atMs: number; kind: string; percent: number; reason: string }[];
    leastRequests: number;
  } = JSON.parse(one!.stdout);
  assert.deepEqual(report.scenario.harm, { failureRate: 0.2, latencyFactor: 1.5, fromMs: 300_000 });
  assert.deepEqual([report.rollout, report.end.phase], ['default', 'rolled-back']);
  assert.ok(report.end.atMs > 300_000 && report.leastRequests > 5);
  assert.deepEqual(
    report.changes.map(({ kind, percent }) => [kind, percent]),
    [
      ['begin', 1],
      ['rollback', 0],
    ],
  );
  assert.equal(report.changes.at(-1)!.reason, report.end.reason);
});

test('--runs says how fast a bad release is found, beside what any test needs', async () => {
  const args = ['rehearse', 'five-percent', ...config, '--harm', 'errors=5', '--runs', '10'];
  const { code, stdout } = await runToEnd(args);
  assert.equal(code, 0);
  assert.match(stdout, /\nrehearsals +10\n/);
  assert.match(stdout, /\nrolled back +10, 100\.00 % \(95 % interval/);
  assert.match(stdout, /\nrequests +\d+ of the new version on average: \d\.\d\d times the 41 that any test needs\n/);
});

test('--aa rehearses healthy releases, and exits 1 when more are rolled back than alpha allows', async () => {
  const args = ['rehearse', 'default', '--config', 'config/rehearsal.yaml', '--rps', '5000', '--aa', '2'];
  const good = await runToEnd([...args, '--dependency', 'errors=5,for=1m,at=30s', '--broken-user', '--json']);
  assert.deepEqual([good.code, good.stderr], [0, '']);
  const { scenario, ...summary }: SeriesSummary & { scenario: object; rolledBackShare: number } = JSON.parse(
    good.stdout,
  );
  assert.deepEqual([summary.runCount, summary.promotedCount, summary.rolledBackShare], [2, 2, 0]);
  assert.partialDeepStrictEqual(scenario, {
    harm: null,
    outage: { failureRate: 0.05, fromMs: 30_000, forMs: 60_000 },
    brokenUser: 'anyone',
  });
  const strict = ['rehearse', 'strict', ...config, '--aa', '1', '--broken-user', 'first', '--seed', '17'];
  const bad = await runToEnd(strict);
  assert.match(bad.stdout, /\nrolled back +1, 100\.00 %/);
  assert.equal(bad.code, 1);
});

const wrong: [args: string[], said: RegExp][] = [
  [['rehearse', 'default', '-c', 'config/rehearsal.yaml'], /required option '--rps <number>'/],
  [['rehearse', ...config], /several rollouts; name one of default, strict, five-percent/],
  [['rehearse', 'defaults', ...config], /no rollout "defaults"; expected one of default/],
  [['rehearse', 'default', ...config, '--rps', '0'], /expected a number above 0/],
  [['rehearse', 'default', ...config, '--harm', 'mood=5'], /expected errors=, latency=, each once; got "mood=5"/],
  [['rehearse', 'default', ...config, '--harm', 'errors=101'], /expected a percent from 0 to 100/],
  [['rehearse', 'default', ...config, '--harm', 'latency=slow'], /expected a factor such as 1\.5x/],
  [['rehearse', 'default', ...config, '--dependency', 'for=10m'], /expected errors=PERCENT/],
  [['rehearse', 'default', ...config, '--at', '30'], /is not a duration/],
  [['rehearse', 'default', ...config, '--aa', '2', '--harm', 'errors=5'], /expected --aa without --harm/],
  [
    ['rehearse', 'default', ...config, '--latency-p99', '50'],
    /expected --latency-p99 above --latency-median 60, got 50/,
  ],
  [['rehearse', 'default', ...config, '--users', '3'], /expected a whole number from 10/],
];

for (const [args, said] of wrong) {
  test(`wrong usage is exit code 2: ${args.join(' ')}`, async () => {
    const { code, stdout, stderr } = await runToEnd(args);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, said);
  });
}

test('a terminal sees how far it is, and an interrupted rehearsal says so', async () => {
  const stop = new AbortController();
  let [stdout, stderr] = ['', ''];
  const code = await runCommandLine(['rehearse', 'default', ...config, '--aa', '100000'], {
    env: {},
    stdout: { write: (text) => (stdout += text) },
    stderr: {
      isTTY: true,
      columns: 60,
      write: (text) => {
        stderr += text;
        if (stderr.includes('rehearsal 2 of 100,000')) stop.abort();
      },
    },
    stop: stop.signal,
    onHangUp: () => undefined,
    openLog: () => pino({ level: 'silent' }),
  });
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /░{24} rehearsal 1 of 100,000/);
  assert.ok(stderr.endsWith('\r\x1b[2Kgraygate: the rehearsal was interrupted\n'), 'the bar is taken away');
});
