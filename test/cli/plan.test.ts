// `graygate plan` as a user runs it, with the policy that the documents plan with.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { policyFile, severalCandidates } from './policy-files.ts';
import { runHere } from './run-here.ts';

const config = ['--config', 'config/rehearsal.yaml'];

type Report = {
  rollout: string;
  stages: {
    name: string;
    percent: number;
    goesOnAfterMs: number;
    proofs: { check: string; ms: number }[];
    stops: { found: object | null }[];
  }[];
  promotedAfterMs: number;
  warnings: { stage: string; provesAtPercent: number }[];
};

async function latencyProofMs(more: readonly string[]): Promise<number> {
  const { stdout } = await runHere(['plan', 'default', ...config, '--rps', '200', '--json', ...more]);
  const report: Report = JSON.parse(stdout);
  return report.stages[0]!.proofs.find(({ check }) => check === 'latency')!.ms;
}

test('a plan says how long each stage takes, and how fast a bad release of each size is stopped', async () => {
  const { code, stdout, stderr } = await runHere(['plan', 'default', ...config, '--rps', '200', '--error-rate', '0.1']);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^default: 200 requests a second of 100,000 users; 0\.1 % fail/);
  assert.match(stdout, /\nfirst +1 % +2 +1 min +1 h 12 min +1 h 12 min\n/);
  assert.match(stdout, /\nfull +100 % +200 +– +– +500 ms\n/);
  assert.match(stdout, /\na good release is promoted after 1 h 3\d min\n/);
  assert.match(stdout, /\nstage +percent +fails 0\.2 % +fails 1 % +fails 5 % +fails 50 % +1\.5x as slow +2x as slow\n/);
  assert.match(stdout, /\nfew +5 % .* 7 s \(4\) /);
  assert.doesNotMatch(stdout, /warning|NaN|undefined|Infinity/);
});

test('--json prints the same as one object, with times in ms', async () => {
  const { stdout } = await runHere(['plan', 'default', ...config, '--rps', '200', '--harm', 'errors=5', '--json']);
  const { rollout, stages, promotedAfterMs, warnings }: Report = JSON.parse(stdout);
  assert.deepEqual([rollout, stages.length, warnings], ['default', 5, []]);
  assert.equal(
    promotedAfterMs,
    stages.reduce((sum, { goesOnAfterMs }) => sum + goesOnAfterMs, 0),
  );
  assert.deepEqual(
    stages.map(({ proofs, stops }) => [proofs.length, stops.length, stops[0]!.found === null]),
    [1, 5, 25, 50, 100].map((percent) => [percent < 100 ? 2 : 0, 1, percent === 100]),
  );
});

test('stages that prove nothing in time are warned of, and fail with --strict', async () => {
  const args = ['plan', 'default', ...config, '--rps', '2'];
  const { code, stdout } = await runHere(args);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /\nwarning: stage first \(1 %\) proves error-rate only after 5 d.*maxHold is 1 d.*\(hold\); 10 % of users would do\n/,
  );
  assert.equal((await runHere([...args, '--strict'])).code, 1);
  assert.equal((await runHere(['plan', 'default', ...config, '--rps', '200', '--strict'])).code, 0);
});

test('a slower service and a wider spread of its latencies are planned with', async () => {
  const usual = await latencyProofMs([]);
  assert.equal(Math.round(await latencyProofMs(['--latency-median', '600'])), Math.round(usual));
  assert.ok((await latencyProofMs(['--latency-p99', '600'])) > 2 * usual);
});

test('a fixed split is said to be one: nothing goes on, and without analysis nothing is stopped', async () => {
  const args = ['plan', '--config', 'config/minimal.yaml', '--rps', '200'];
  const { code, stdout } = await runHere(args);
  assert.equal(code, 0);
  const [, , split, , watched, ...rest] = stdout.trimEnd().split('\n');
  assert.equal(split, 'a fixed split, which nothing moves forward: 10 % of users on canary');
  assert.deepEqual([watched, rest], ['nothing watches it: write analysis, or stages', []]);
  const report: Report = JSON.parse((await runHere([...args, '--json'])).stdout);
  assert.equal(report.promotedAfterMs, null);
});

test('of several candidates each is planned by itself, and none twice', async (t) => {
  const file = policyFile(t, severalCandidates('{ blue: 20, green: 2 }'));
  const args = ['plan', '-c', file, '--rps', '200', '--harm', 'errors=5'];
  const { stdout } = await runHere(args);
  assert.match(
    stdout,
    /\n\na bad candidate is stopped, and the others with it, after [^\n]+\ncandidate +percent +fails 5 %\nblue +20 % +3 s \(\d+\)\ngreen +2 % +\d\d s \(\d+\)\n$/,
  );
  const report: Report = JSON.parse((await runHere([...args, '--json'])).stdout);
  assert.partialDeepStrictEqual(report.stages, [
    { name: 'split', candidate: 'blue', percent: 20 },
    { name: 'split', candidate: 'green', percent: 2 },
  ]);
});

test('a fixed split that is watched says how fast a bad release is stopped', async (t) => {
  const minimal = readFileSync('config/minimal.yaml', 'utf8');
  const file = policyFile(t, `${minimal}    analysis: { checks: [{ metric: error-rate }] }\n`);
  const { stdout } = await runHere(['plan', '-c', file, '--rps', '200', '--harm', 'errors=5']);
  assert.match(
    stdout,
    /^a fixed split[^\n]+\n\na bad release [^\n]+\nstage +percent +fails 5 %\nsplit +10 % +\d+ s \(\d+\)\n$/m,
  );
});
