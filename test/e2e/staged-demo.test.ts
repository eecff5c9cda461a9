// The demo's release: a healthy one goes to everyone, a bad one is back within seconds, and the policy it has can do that in the
// time that the README promises.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { run } from '../support/run.ts';

const bin = 'bin/graygate.js';

type Change = { readonly phase: string; readonly name: string; readonly percent: number; readonly reason: string };
type Spread = { readonly median: number; readonly p95: number };
type Rehearsed = {
  readonly promotedCount: number;
  readonly rolledBackCount: number;
  readonly promotedAfterMs: Spread | null;
  readonly stops: { readonly afterMs: Spread } | null;
};
type Sum = { readonly version: string; readonly requestCount: number; readonly failureCount: number };

test('a healthy release goes from stage to stage to everyone, and nothing of it is kept', async (t) => {
  const demo = startDemo(t, { hurried: true });
  await eventually('the end', () => demo.changes().at(-1)?.phase === 'promoted', 120_000);
  assert.deepEqual(
    demo.changes().map(({ phase, name, percent }) => `${phase} ${name} ${percent}`),
    ['progressing small 5', 'progressing some 20', 'progressing half 50', 'baking bake 95', 'promoted full 100'],
  );
  assert.match(demo.changes()[1]!.reason, /every guard passes/);
  assert.deepEqual(readdirSync(demo.temporary).length, 1);
  demo.process.kill('SIGTERM');
  await demo.exit;
  assert.deepEqual(readdirSync(demo.temporary), []);
  assert.equal(demo.complained(), '');
});

const harms: [bad: string, sentence: RegExp][] = [
  ['errors', /^canary is rolled back from 5 %: canary fails [\d.]+ % of requests, stable 0 %; /],
  ['latency', /^canary is rolled back from 5 %: p50 of canary is \d[\d.,]* m?s, of stable \d[\d.,]* m?s; /],
];

for (const [bad, sentence] of harms) {
  test(`with --bad ${bad} it is rolled back in the first stage, and nobody meets it any more`, async (t) => {
    const demo = startDemo(t, {}, '--bad', bad);
    const change = await eventually(
      'the rollback',
      () => demo.changes().find(({ phase }) => phase === 'rolled-back'),
      60_000,
    );
    assert.match(change.reason, sentence);
    assert.deepEqual([demo.changes().length, change.percent], [2, 0]);
    demo.process.kill('SIGTERM');
    assert.equal(await demo.exit, 0);
    const canary = demo.sums().find(({ version }) => version === 'canary');
    const stable = demo.sums().find(({ version }) => version === 'stable');
    assert.ok((canary?.requestCount ?? 0) < 100, `${canary?.requestCount} requests reached the bad version`);
    assert.equal(stable?.failureCount, 0);
  });
}

test('by its own policy a healthy release is with everyone within two minutes, and a bad one is back within ten seconds', async () => {
  const healthy = await rehearse('--aa', '100');
  assert.deepEqual([healthy.promotedCount, healthy.rolledBackCount], [100, 0]);
  assert.ok(healthy.promotedAfterMs!.p95 < 120_000, `${healthy.promotedAfterMs!.p95} ms`);
  // As --bad makes it: half of the requests, or 400 ms on top of 20.
  for (const harm of ['errors=50', 'latency=21x']) {
    const bad = await rehearse('--runs', '100', '--harm', harm);
    assert.equal(bad.rolledBackCount, 100);
    assert.ok(bad.stops!.afterMs.p95 < 10_000, `${harm}: ${bad.stops!.afterMs.p95} ms`);
  }
});

test("the bundled policies are valid, and nothing but the short life of the demo's experiment is warned about", async () => {
  const env = {
    ...process.env,
    GRAYGATE_OPERATOR_TOKEN: 'a-token-for-operators',
    GRAYGATE_VIEWER_TOKEN: 'a-token-for-viewers',
    SLACK_URL: 'https://hooks.slack.example.com/x',
  };
  const warnings = { demo: /^$/, staged: /^$/, experiment: /^[^\n]*experiment\.least: warning: "1m" is not [^\n]*\n$/ };
  for (const [name, expected] of Object.entries(warnings)) {
    const { code, stderr } = await run(process.execPath, [bin, 'validate', '--strict', `config/${name}.yaml`], { env });
    assert.equal(code, 0);
    assert.match(stderr, expected);
  }
});

/** Rehearses the policy of the demo with traffic such as the demo makes. */
async function rehearse(...options: string[]): Promise<Rehearsed> {
  const traffic = '--rps 100 --users 500 --error-rate 0 --latency-median 20 --latency-p99 64'.split(' ');
  const args = ['rehearse', 'shop', '-c', 'config/demo.yaml', '--json', ...traffic, ...options];
  const { stdout, stderr } = await run(process.execPath, [bin, ...args]);
  assert.equal(stderr, '');
  return JSON.parse(stdout) as Rehearsed;
}

/** Starts the demo on free ports; `hurried`: with a policy that holds a second where the bundled one holds ten and more. */
function startDemo(t: TestContext, { hurried = false }: { hurried?: boolean }, ...options: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'graygate-staged-demo-'));
  const temporary = mkdtempSync(join(folder, 'tmp-'));
  const policy = join(folder, 'demo.yaml');
  const text = readFileSync('config/demo.yaml', 'utf8');
  writeFileSync(policy, hurried ? text.replaceAll(/hold: \d+s/g, 'hold: 1s') : text);
  const args = ['demo', '--json', '--port', '0', '--admin-port', '0', '--config', policy, ...options];
  const child = spawn(process.execPath, [bin, ...args, '--rps', hurried ? '300' : '100'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const exit = once(child, 'close').then(([code]: unknown[]) => code);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (stdout += piece));
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (stderr += piece));
  t.after(async () => {
    child.kill('SIGKILL');
    await exit;
    if (existsSync(folder)) rmSync(folder, { recursive: true });
  });
  const lines = <Line>(key: string): Line[] =>
    stdout
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith(`{"${key}"`))
      .map((line) => JSON.parse(line) as Line);
  return {
    process: child,
    exit,
    temporary,
    changes: () => lines<Change>('rollout'),
    sums: () => lines<{ versions: Sum[] }>('versions')[0]?.versions ?? [],
    complained: () => stderr,
  };
}
