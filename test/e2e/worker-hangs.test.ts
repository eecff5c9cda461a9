// Workers that hang without dying, beside one that is late again and again because it is busy: only the former are replaced.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { serve, type Serving, startUpstream, temporaryFolder } from '../support/serving.ts';
import { isAlive, scrapeSum, serveWorkers, workerPids, workerPolicy } from '../support/worker-gateway.ts';

/** In a worker that gets SIGUSR2: nothing but a moment each three seconds is left for its work. */
const busyAfterSignal = `
if (process.argv[1]?.includes('worker-main')) {
  const lock = new Int32Array(new SharedArrayBuffer(4));
  process.once('SIGUSR2', () => setInterval(() => Atomics.wait(lock, 0, 0, 3_000), 200));
}`;

function lineAbout({ log }: Serving, worker: number, start: string) {
  return log.find((line) => line['worker'] === worker && line.msg.startsWith(start));
}

async function statusOf(port: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  await answer.text();
  return answer.status;
}

test('a worker that hangs gets no more connections, is killed and replaced, and what it had not begun is answered; a busy one stays', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const folder = temporaryFolder(t);
  const trap = join(folder, 'busy.cjs');
  writeFileSync(trap, busyAfterSignal);
  process.env['NODE_OPTIONS'] = `--require ${trap}`;
  t.after(() => void delete process.env['NODE_OPTIONS']);
  const gateway = await serve(t, folder, workerPolicy({ stable, canary: stable }, { workers: 3 }));
  const [hanging, busy] = [1, 2].map((worker) => workerPids(gateway).get(worker)!) as [number, number];
  process.kill(hanging, 'SIGSTOP');
  const early = Promise.all(Array.from({ length: 6 }, () => statusOf(gateway.port)));
  await eventually('it to be late', () => lineAbout(gateway, 1, 'a worker does not answer'));
  assert.equal(lineAbout(gateway, 1, 'a worker does not answer')?.level, 40);
  const statuses = Array.from({ length: 12 }, () => statusOf(gateway.port));
  assert.deepEqual(new Set(await Promise.all(statuses)), new Set([200]));
  assert.equal(lineAbout(gateway, 1, 'a worker hangs'), undefined, 'answered before it was killed');
  process.kill(busy, 'SIGUSR2');
  const readiness = await fetch(`${gateway.adminUrl}/readyz?verbose`);
  assert.equal(readiness.status, 200);
  assert.ok(((await readiness.json()) as { degraded: string[] }).degraded.includes('worker 1: does not answer'));
  await eventually('another one in its place', () => workerPids(gateway).get(1) !== hanging);
  assert.equal(lineAbout(gateway, 1, 'a worker hangs')?.level, 50);
  assert.equal(lineAbout(gateway, 1, 'a worker has ended')?.['signal'], 'SIGKILL');
  assert.deepEqual(new Set(await early), new Set([200]));
  await eventually('the busy one to be late', () => lineAbout(gateway, 2, 'a worker does not answer'));
  assert.ok(isAlive(busy));
  assert.equal(workerPids(gateway).get(2), busy);
  assert.equal(await scrapeSum(gateway, 'graygate_worker_restarts_total'), 1);
});

test('a worker that was stopped for some seconds goes on as before', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary: stable }));
  const pids = [...workerPids(gateway).values()];
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const answer = statusOf(gateway.port);
  await eventually('nobody to serve', async () => (await fetch(`${gateway.adminUrl}/readyz`)).status === 503);
  const late = statusOf(gateway.port);
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  await eventually('all to answer', () =>
    [1, 2].every((worker) => lineAbout(gateway, worker, 'a worker answers again')),
  );
  assert.deepEqual([await answer, await late], [200, 200]);
  assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200);
  assert.deepEqual([...workerPids(gateway).values()], pids);
});
