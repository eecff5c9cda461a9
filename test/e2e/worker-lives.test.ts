// How workers come and go, as an operator meets it: killed, restarted, drained, left behind.
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { startUpstream } from '../support/serving.ts';
import { startLoad } from '../support/steady-load.ts';
import { isAlive, scrapeSum, serveWorkers, workerPids, workerPolicy } from '../support/worker-gateway.ts';

/** Answers that wait until they are let go; how many wait. */
function slowAnswers() {
  const waiting: (() => void)[] = [];
  return {
    listener: (_: IncomingMessage, response: ServerResponse) => void waiting.push(() => response.end('done')),
    waiting,
    finish: () => waiting.splice(0).forEach((finish) => finish()),
  };
}

test('a worker that is killed under load takes its own requests with it and is back at once; no counter falls', async (t) => {
  const stable = await startUpstream(t, (_, response) => void setTimeout(() => response.end('old'), 5));
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary: stable }));
  const load = startLoad({ port: gateway.port, perSecond: 200, users: 100 });
  const sums: number[] = [];
  const watch = { isOver: false };
  // One after the other: of two scrapes at a time the later one may be answered first.
  const watching = (async () => {
    for (; !watch.isOver; await sleep(50)) sums.push(await scrapeSum(gateway, 'graygate_requests_total'));
  })();
  const first = workerPids(gateway).get(1)!;
  await eventually('traffic', () => load.answers.length > 100);
  process.kill(first, 'SIGKILL');
  const [killedAt, sentBefore] = [load.answers.length, load.sentCount()];
  await eventually('another one in its place', () => workerPids(gateway).get(1) !== first);
  await eventually('traffic afterwards', () => load.answers.length > killedAt + 300);
  await load.stop();
  watch.isOver = true;
  await watching;
  assert.ok(sums.length > 5);
  assert.deepEqual(
    sums,
    sums.toSorted((a, b) => a - b),
  );
  const lost = load.answers.filter(({ status }) => status === 0).length;
  // One at most on each connection of the killed worker, which has half of the hundred: on a busy machine all may be under way.
  assert.ok(lost <= 60, `${lost} requests were lost`);
  const later = load.answers.filter(({ number }) => number >= sentBefore + 100);
  assert.deepEqual(new Set(later.map(({ status }) => status)), new Set([200]));
  assert.equal(await scrapeSum(gateway, 'graygate_worker_restarts_total', { worker: '1' }), 1);
  await eventually('nothing to be under way', async () => {
    return (await scrapeSum(gateway, 'graygate_requests_in_flight')) === 0;
  });
  const end = gateway.log.find(({ msg }) => msg.startsWith('a worker has ended'));
  assert.deepEqual([end?.['worker'], end?.['signal'], end?.level], [1, 'SIGKILL', 50]);
});

test('one of two workers that is being restarted is a degradation; no worker at all is not ready', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary: stable }));
  const verbose = async () => {
    const answer = await fetch(`${gateway.adminUrl}/readyz?verbose`);
    return { code: answer.status, ...((await answer.json()) as { reasons: string[]; degraded: string[] }) };
  };
  const kill = (worker: number): void => {
    const pid = workerPids(gateway).get(worker)!;
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  };
  // Again and again, until the wait before the next start is long enough to be seen.
  await eventually('worker 2 to be missed', async () => {
    kill(2);
    return (await verbose()).degraded.includes('worker 2: being restarted');
  });
  assert.equal((await verbose()).code, 200);
  await eventually('none to be left', async () => {
    kill(1);
    kill(2);
    const { code, reasons } = await verbose();
    return code === 503 && reasons.includes('no worker serves');
  });
  assert.equal((await fetch(`http://127.0.0.1:${gateway.port}/`)).status, 200);
  assert.equal((await verbose()).code, 200);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} to the whole group lets requests under way finish in every worker, and exits 0`, async (t) => {
    const slow = slowAnswers();
    const stable = await startUpstream(t, slow.listener);
    const gateway = await serveWorkers(t, workerPolicy({ stable, canary: stable }));
    const pids = [...workerPids(gateway).values()];
    const answers = Array.from({ length: 10 }, async () => (await fetch(`http://127.0.0.1:${gateway.port}/`)).text());
    await eventually('all requests to be under way', () => slow.waiting.length === 10);
    for (const pid of [gateway.process.pid!, ...pids]) process.kill(pid, signal);
    await eventually('readiness to end', async () => (await fetch(`${gateway.adminUrl}/readyz`)).status === 503);
    slow.finish();
    assert.deepEqual(
      await Promise.all(answers),
      Array.from({ length: 10 }, () => 'done'),
    );
    assert.equal(await gateway.exit, 0);
    assert.deepEqual(pids.map(isAlive), [false, false]);
  });
}

test('workers whose control process was killed finish what is under way and are gone', async (t) => {
  const slow = slowAnswers();
  const stable = await startUpstream(t, slow.listener);
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary: stable }));
  const pids = [...workerPids(gateway).values()];
  t.after(() => pids.filter(isAlive).forEach((pid) => process.kill(pid, 'SIGKILL')));
  const answers = Array.from({ length: 4 }, async () => (await fetch(`http://127.0.0.1:${gateway.port}/`)).text());
  await eventually('all requests to be under way', () => slow.waiting.length === 4);
  gateway.process.kill('SIGKILL');
  await gateway.exit;
  assert.deepEqual(pids.map(isAlive), [true, true]);
  slow.finish();
  assert.deepEqual(await Promise.all(answers), ['done', 'done', 'done', 'done']);
  await eventually('the workers to be gone', () => !pids.some(isAlive));
});
