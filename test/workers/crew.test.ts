// Workers that cannot begin, and how long one that dies again and again is waited for.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { delayAfter } from '../../src/workers/crew.ts';
import { run } from '../support/run.ts';
import { temporaryFolder, type Upstream } from '../support/serving.ts';
import { workerPolicy } from '../support/worker-gateway.ts';

const bin = join(import.meta.dirname, '../../bin/graygate.js');
const nowhere = { url: 'http://127.0.0.1:1' } as Upstream;

test('the first end costs nothing; then it is 250 ms, twice as long each time, half a minute at most', () => {
  const delays = [0, 1, 2, 3, 4, 9, 100].map(delayAfter);
  assert.deepEqual(delays, [0, 0, 250, 500, 1_000, 30_000, 30_000]);
});

test('a worker that ends before it serves is a failed start, said clearly, and nothing is left', async (t) => {
  const folder = temporaryFolder(t);
  const trap = join(folder, 'trap.cjs');
  writeFileSync(trap, `if (process.argv[1].includes('worker-main')) process.exit(7);`);
  const policy = join(folder, 'p.yaml');
  writeFileSync(policy, workerPolicy({ stable: nowhere, canary: nowhere }));
  const env = { ...process.env, NODE_OPTIONS: `--require ${trap}` };
  const { code, stderr } = await run(process.execPath, [bin, 'serve', '-c', policy], { cwd: folder, env });
  assert.equal(code, 1);
  assert.match(stderr, /^graygate: expected worker [12] to begin to serve; it ended$/m);
});

test('an address that is taken is said as it is with one process', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const folder = temporaryFolder(t);
  const policy = join(folder, 'p.yaml');
  const text = workerPolicy({ stable: nowhere, canary: nowhere });
  writeFileSync(policy, text.replace('listen: 127.0.0.1:0', `listen: 127.0.0.1:${port}`));
  const { code, stderr } = await run(process.execPath, [bin, 'serve', '-c', policy], { cwd: folder });
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`expected to listen on 127.0.0.1:${port}, got EADDRINUSE`));
});
