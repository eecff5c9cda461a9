// The demo ends with whoever started it: by npm and the shell that npm puts between, whichever of them is told to end, or killed.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { childrenOf } from '../support/child-processes.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/serving.ts';
import { isAlive } from '../support/worker-gateway.ts';

type Chain = { readonly npm: number; readonly shell: number; readonly demo: number };

const ends: readonly (readonly [how: string, end: (chain: Chain) => void])[] = [
  ['SIGTERM to npm', ({ npm }) => process.kill(npm, 'SIGTERM')],
  ['SIGKILL to npm', ({ npm }) => process.kill(npm, 'SIGKILL')],
  ['SIGKILL to the shell', ({ shell }) => process.kill(shell, 'SIGKILL')],
  ['SIGTERM to the demo', ({ demo }) => process.kill(demo, 'SIGTERM')],
  ['Ctrl-C', ({ npm }) => process.kill(-npm, 'SIGINT')],
  ['a terminal that is closed', ({ npm }) => process.kill(-npm, 'SIGHUP')],
];

/** For what must not happen. */
const fourLooksMs = 1_000;
const skip = process.platform === 'linux' ? false : 'reads /proc';

for (const [how, end] of ends) {
  test(`under npm start, ${how} ends the demo in good order and leaves nothing behind`, { skip }, async (t) => {
    const { npm, said, folder } = await npmStart(t);
    const shell = childrenOf(npm.pid!)[0]!;
    const demo = childrenOf(shell)[0]!;
    end({ npm: npm.pid!, shell, demo });
    await eventually('all to be gone', () => ![npm.pid!, shell, demo].some(isAlive));
    await eventually('the sums, which are said last', () => /\{"versions":\[.*\]\}\n$/.test(said()));
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('graygate-demo-')),
      [],
      'its store',
    );
  });
}

test('started by a program that is no npm, the demo outlives it', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const { npm_lifecycle_event: _, ...env } = process.env;
  const command = `${process.execPath} bin/graygate.js demo --json --port 0 --admin-port 0; :`;
  const { child, said } = await start(t, 'sh', ['-c', command], { ...env, TMPDIR: folder });
  const demo = childrenOf(child.pid!)[0]!;
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { admin } = JSON.parse(said().split('\n')[0]!) as { admin: string };
  await setTimeout(fourLooksMs);
  assert.equal((await fetch(`${admin}/readyz`)).status, 200);
  process.kill(demo, 'SIGHUP');
  await eventually('the demo to be gone', () => !isAlive(demo));
  await eventually('the sums', () => /\{"versions":\[.*\]\}\n$/.test(said()));
});

async function npmStart(t: TestContext) {
  const folder = temporaryFolder(t);
  const env = { ...process.env, TMPDIR: folder };
  const { child, said } = await start(t, 'npm', ['start', '--', '--json', '--port', '0', '--admin-port', '0'], env);
  return { npm: child, said, folder };
}

/** Starts it as a shell does, in a process group of its own, and waits until the demo has said where it is. */
async function start(t: TestContext, program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const child: ChildProcess = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // All of them are gone.
    }
  });
  let said = '';
  let complained = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (complained += text));
  await eventually('the demo to be up', () => {
    assert.equal(child.exitCode, null, complained);
    return /^\{"traffic".+\n/m.test(said);
  });
  return { child, said: () => said.slice(said.indexOf('{"traffic"')) };
}
