// The process edge: signals, exit codes and what a crash leaves behind, in real processes.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { eventually } from './support/eventually.ts';
import { run } from './support/run.ts';

const bin = 'bin/graygate.js';

type Line = { readonly msg: string; readonly level: number; readonly traffic?: string; readonly admin?: string };

test('serve says in one JSON line on stdout that it is ready, and where', async (t) => {
  const gateway = await serve(t);
  assert.match(String(gateway.ready.traffic), /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(String(gateway.ready.admin), /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal((await fetch(`${gateway.ready.admin}/readyz`)).status, 200);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets a request under way end, then exits 0`, async (t) => {
    const gateway = await serve(t);
    const answer = fetch(`${gateway.ready.traffic}/slow`);
    const release = await gateway.nextRequest();
    gateway.process.kill(signal);
    await gateway.line('draining');
    release();
    assert.equal(await (await answer).text(), 'tea');
    assert.equal(await gateway.exit, 0);
  });
}

test('with GRAYGATE_LOG_LEVEL=error nothing below is logged', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'graygate-level-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'policy.yaml');
  let isAsked = false;
  const upstream = createServer((_request, response) => {
    isAsked = true;
    response.end();
  });
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const address = upstream.address();
  assert.ok(typeof address === 'object' && address !== null);
  const server = `http://127.0.0.1:${address.port}`;
  writeFileSync(file, policyFor(server).replaceAll(`["${server}"]`, `["${server}"], health: { path: / }`));
  const child = spawn(process.execPath, [join(process.cwd(), bin), 'serve', '-c', file], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, GRAYGATE_LOG_LEVEL: 'error' },
  });
  const exit = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  // What it says of itself is not logged; that it is up its servers know.
  await eventually('the gateway', () => isAsked);
  writeFileSync(file, 'version: 2\n');
  await eventually('the rejected policy', () => said.includes('policy rejected'));
  const levels = said
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as Line).level);
  assert.deepEqual(levels, [50]);
});

test('a GRAYGATE_LOG_LEVEL that there is not is wrong usage', async () => {
  const env = { ...process.env, GRAYGATE_LOG_LEVEL: 'loud' };
  const { code, stdout, stderr } = await run(process.execPath, [bin, 'serve', '-c', 'config/minimal.yaml'], { env });
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^graygate: expected GRAYGATE_LOG_LEVEL as one of .*warn.*silent; got "loud"\n$/);
});

test('a second signal ends the process at once', async (t) => {
  const gateway = await serve(t);
  const answer = assert.rejects(fetch(`${gateway.ready.traffic}/slow`));
  await gateway.nextRequest();
  gateway.process.kill('SIGTERM');
  await gateway.line('draining');
  // The two signals of one Ctrl-C under npm count as one, so the second is repeated until it is later than that.
  const again = setInterval(() => gateway.process.kill('SIGTERM'), 50);
  t.after(() => clearInterval(again));
  assert.equal(await gateway.exit, 143);
  await answer;
});

test('two signals in a row, as npm sends them for one Ctrl-C, end it in good order', async (t) => {
  const gateway = await serve(t);
  // Two kinds, since the system may hand over two signals of one kind as one; stopped meanwhile, so that it gets them together.
  for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) gateway.process.kill(signal);
  assert.equal(await gateway.exit, 0);
});

test('SIGHUP takes the policy anew', async (t) => {
  const gateway = await serve(t);
  writeFileSync(gateway.file, policyFor(gateway.upstream, '{ path: /elsewhere }'));
  gateway.process.kill('SIGHUP');
  await gateway.line('policy loaded');
  assert.equal((await fetch(`${gateway.ready.traffic}/`)).status, 404);
});

test('an exception that nobody caught is logged as fatal, and the exit code is 1', async (t) => {
  const crashed = await runWith(t, `throw new Error('spilled tea');`);
  const line: Line & { err: { message: string } } = JSON.parse(crashed.stderr);
  assert.deepEqual([crashed.code, line.level, line.err.message], [1, 60, 'spilled tea']);
});

test('a rejection that nobody handled is logged as fatal, and the exit code is 1', async (t) => {
  const crashed = await runWith(t, `Promise.reject(new Error('spilled tea'));`);
  assert.equal(crashed.code, 1);
  assert.match(crashed.stderr, /"level":60.+spilled tea/);
});

test('an output that nobody reads any more ends the demo in good order', async () => {
  const demo = spawn(process.execPath, [bin, 'demo', '--port', '0', '--admin-port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(demo.stdout, 'data');
  demo.stdout.destroy();
  assert.deepEqual(await once(demo, 'exit'), [0, null]);
});

function policyFor(upstream: string, match = '{}'): string {
  return `version: 1
listen: 127.0.0.1:0
admin: { listen: "127.0.0.1:0" }
rollouts:
  - name: shop
    match: ${match}
    versions:
      stable: { servers: ["${upstream}"] }
      canary: { servers: ["${upstream}"] }
    split: { canary: 50 }
`;
}

/** Starts `serve` in front of a server that holds `/slow` until it is released. Everything ends with the test. */
async function serve(t: TestContext) {
  const held: (() => void)[] = [];
  const upstream = createServer((request, response) => {
    if (request.url !== '/slow') return response.end('tea');
    return held.push(() => response.end('tea'));
  });
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  const address = upstream.address();
  assert.ok(typeof address === 'object' && address !== null);
  const origin = `http://127.0.0.1:${address.port}`;
  const folder = mkdtempSync(join(tmpdir(), 'graygate-main-'));
  const file = join(folder, 'policy.yaml');
  writeFileSync(file, policyFor(origin));

  const child = spawn(process.execPath, [bin, 'serve', '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit').then(([code]: unknown[]) => code);
  t.after(async () => {
    child.kill('SIGKILL');
    await exit;
    upstream.closeAllConnections();
    upstream.close();
    rmSync(folder, { recursive: true });
  });
  const line = logReader(child);
  const nextRequest = async () => {
    while (held.length === 0) await once(upstream, 'request');
    return held.shift()!;
  };
  return { ready: await line('graygate is ready'), process: child, exit, file, upstream: origin, line, nextRequest };
}

/** Resolves with the next line of the log that has this message. */
function logReader(child: ChildProcess): (msg: string) => Promise<Line> {
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (msg) => {
    for (;;) {
      const next = await lines.next();
      assert.ok(next.done !== true, `expected a line "${msg}"`);
      const line: Line = JSON.parse(next.value);
      if (line.msg === msg) return line;
    }
  };
}

/** The demo with a piece of code that runs in it when it can hear of crashes. */
async function runWith(t: TestContext, code: string) {
  const folder = mkdtempSync(join(tmpdir(), 'graygate-crash-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const preload = join(folder, 'preload.mjs');
  const isListening = `process.listenerCount('uncaughtException') > 0`;
  const crash = `if (${isListening}) { clearInterval(timer); setTimeout(() => { ${code} }, 200); }`;
  writeFileSync(preload, `const timer = setInterval(() => { ${crash} }, 20);`);
  const demo = [bin, 'demo', '--port', '0', '--admin-port', '0'];
  return run(process.execPath, ['--import', pathToFileURL(preload).href, ...demo]);
}
