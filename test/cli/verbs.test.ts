// Verbs, their help and their exit codes, in real processes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { run } from '../support/run.ts';
import { runHere } from './run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'graygate-cli-'));
after(() => rmSync(folder, { recursive: true }));

const good = write(
  'good.yaml',
  `version: 1
listen: 127.0.0.1:0
admin: { listen: "127.0.0.1:0" }
rollouts:
  - name: shop
    versions:
      stable: { servers: ["http://127.0.0.1:3001"] }
      canary: { servers: ["http://127.0.0.1:3002"] }
    split: { canary: 20 }
`,
);
const bad = write(
  'bad.yaml',
  `version: 1
listen: 127.0.0.1:0
rollouts:
  - name: shop
    versions:
      stable: { servers: ["http://127.0.0.1:3001"] }
      canary: { servers: ["http://127.0.0.1:3002"] }
    split: { canari: 20 }
    wait: 3
`,
);
const doubtful = write(
  'doubtful.yaml',
  `version: 1
listen: 127.0.0.1:0
rollouts:
  - name: shop
    user: { anonymous: baseline }
    versions:
      stable: { servers: ["http://127.0.0.1:3001"] }
      canary: { servers: ["http://127.0.0.1:3002"] }
    split: { canary: 20 }
`,
);

for (const verb of ['serve', 'demo', 'validate', 'explain', 'plan', 'rehearse', 'simulate']) {
  test(`${verb} --help shows its options and an example that names it, and exits 0`, async () => {
    const { code, stdout, stderr } = await runHere([verb, '--help']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^Usage: graygate/);
    assert.match(stdout, /--config/);
    assert.match(stdout, new RegExp(`Examples?:\\n  graygate ${verb}\\b`));
  });
}

const wrongUsage: [args: string[], said: RegExp][] = [
  [[], /^Usage: graygate VERB/],
  [['launch'], /unknown command 'launch'/],
  [['validat'], /Did you mean validate/],
  [['help', 'launch'], /unknown command 'launch'/],
  [['help', 'toString'], /unknown command 'toString'/],
  [['serve', '--bogus'], /unknown option '--bogus'/],
  [['validate', good, bad], /too many arguments/],
  [['validate', good, '--config', bad], /expected one policy/],
  [['explain', '-c', good, '--header', 'x-city'], /expected NAME=VALUE/],
  [['explain', '-c', good, '--header', 'x city=a'], /expected the name of a header, got "x city"/],
  [['explain', '-c', good, '--user', 'a\r\nb: c'], /a client cannot send/],
  [['explain', '-c', good, '--path', 'item'], /expected --path to begin with \//],
  [['explain', '-c', good, '--rollout', 'shops'], /no rollout "shops"; expected one of shop/],
  [['demo', '--rps', '1001'], /expected a whole number from 1 to 1000/],
  [['demo', '--users', '0'], /expected a whole number from 1 to 100000/],
  [['demo', '--port', '65536'], /expected a whole number from 0 to 65535/],
  [['demo', '--bad', 'mood'], /expected errors\[=percent\] or latency\[=milliseconds\], got "mood"/],
  [['demo', '--duration', '30'], /is not a duration/],
  [['demo', '--host', '10.0.0.1'], /Allowed choices are 127\.0\.0\.1, 0\.0\.0\.0/],
];

for (const [args, said] of wrongUsage) {
  const shown = JSON.stringify(args.map((arg) => arg.replace(folder, '.')));
  test(`wrong usage is said on stderr and is exit code 2: ${shown}`, async () => {
    const { code, stdout, stderr } = await runHere(args);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, said);
  });
}

test('help lists every verb, help VERB is VERB --help, and both exit 0', async () => {
  assert.deepEqual(await runHere(['help']), await runHere(['--help']));
  const own = await runHere(['help', 'validate']);
  assert.deepEqual(own, await runHere(['validate', '--help']));
  assert.deepEqual([own.code, own.stderr], [0, '']);
  assert.match(own.stdout, /^Usage: graygate validate \[options\] \[file\]/);
});

test('the help names a default only where it is something', async () => {
  for (const verb of ['validate', 'explain', 'rehearse', 'status']) {
    const { stdout } = await runHere([verb, '--help']);
    assert.doesNotMatch(stdout, /default: (false|\[\])/);
  }
  const { stdout } = await runHere(['rehearse', '--help']);
  assert.match(stdout, /--seed [^(]+\(default: 1\)/);
  assert.match(stdout, /--limit [^(]+\(default: 24h\)/);
});

test('wrong usage ends the process with 2', async () => {
  const { code, stdout, stderr } = await graygate(['launch']);
  assert.deepEqual({ code, stdout, stderr }, { code: 2, stdout: '', stderr: "graygate: unknown command 'launch'\n" });
});

test('validate says that a good policy is valid, named as argument, option, by the environment or in the usual place', async () => {
  const usual = mkdtempSync(join(folder, 'usual-'));
  assert.deepEqual(await graygate(['validate', good]), { code: 0, stdout: `${good} is valid\n`, stderr: '' });
  assert.equal((await graygate(['validate', '-c', good])).code, 0);
  assert.equal((await graygate(['validate'], { env: { ...process.env, GRAYGATE_CONFIG: good } })).code, 0);
  const nothing = await graygate(['validate'], { cwd: usual });
  assert.equal(nothing.code, 1);
  assert.match(
    nothing.stderr,
    /^graygate: expected a policy at config\/graygate\.yaml, found none; name yours with --config/,
  );
});

test('validate prints every problem with its place on stderr and exits 1', async () => {
  const { code, stdout, stderr } = await graygate(['validate', '--config', bad]);
  assert.deepEqual([code, stdout], [1, '']);
  const lines = stderr.trimEnd().split('\n');
  assert.equal(lines.length, 2);
  assert.ok(lines[0]!.startsWith(`${bad}:8:14: rollouts[0].split.canari: `), lines[0]);
  assert.match(lines[0]!, /did you mean "?canary"?\?/);
  assert.ok(lines[1]!.startsWith(`${bad}:9:5: rollouts[0].wait: unknown key`), lines[1]);
});

test('validate --json prints the problems as one object on stdout and nothing on stderr', async () => {
  const { code, stdout, stderr } = await graygate(['validate', '--json', bad]);
  assert.deepEqual([code, stderr], [1, '']);
  const report: { valid: boolean; problems: { path: string; line: number }[] } = JSON.parse(stdout);
  assert.equal(report.valid, false);
  assert.deepEqual(
    report.problems.map(({ path, line }) => [path, line]),
    [
      ['rollouts[0].split.canari', 8],
      ['rollouts[0].wait', 9],
    ],
  );
  const fine = await graygate(['validate', '--json', good]);
  assert.deepEqual(JSON.parse(fine.stdout), { file: good, valid: true, problems: [] });
});

test('validate warns only when it is strict, and warnings do not fail', async () => {
  assert.deepEqual(await graygate(['validate', doubtful]), { code: 0, stdout: `${doubtful} is valid\n`, stderr: '' });
  const strict = await graygate(['validate', '--strict', doubtful]);
  assert.equal(strict.code, 0);
  assert.equal(strict.stdout, `${doubtful} is valid, with 1 warning\n`);
  assert.ok(strict.stderr.startsWith(`${doubtful}:5:13: rollouts[0].user.anonymous: warning: keeps every request`));
  const asJson = await graygate(['validate', '--strict', '--json', doubtful]);
  const report: { valid: boolean; warnings: { path: string }[] } = JSON.parse(asJson.stdout);
  assert.deepEqual([report.valid, report.warnings.map(({ path }) => path)], [true, ['rollouts[0].user.anonymous']]);
});

for (const verb of ['serve', 'explain', 'demo']) {
  test(`${verb} with a bad policy prints its problems on stderr and exits 1`, async () => {
    const { code, stdout, stderr } = await graygate([verb, '--config', bad]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(stderr.split('\n').filter((line) => line.startsWith(`${bad}:`)).length, 2);
  });
}

test('serve on a port that is taken says which, and exits 1', async (t) => {
  const other = createServer();
  await once(other.listen(0, '127.0.0.1'), 'listening');
  t.after(() => other.close());
  const address = other.address();
  assert.ok(typeof address === 'object' && address !== null);
  const taken = write('taken.yaml', goodPolicyOn(address.port));
  const { code, stderr } = await graygate(['serve', '--config', taken]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    new RegExp(`^graygate: expected to listen on 127\\.0\\.0\\.1:${address.port}, got EADDRINUSE\n$`),
  );
});

function goodPolicyOn(port: number): string {
  return `version: 1
listen: 127.0.0.1:${port}
rollouts:
  - name: shop
    versions:
      stable: { servers: ["http://127.0.0.1:3001"] }
      canary: { servers: ["http://127.0.0.1:3002"] }
    split: { canary: 20 }
`;
}

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function graygate(args: readonly string[], place: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  return run(process.execPath, [resolve('bin/graygate.js'), ...args], place);
}
