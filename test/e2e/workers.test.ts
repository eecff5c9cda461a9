// Several processes behind one port, as an operator meets them: real processes, real signals, counts that must add up.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { authority, certificateFile } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { parseSamples } from '../support/metric-samples.ts';
import { RawClient } from '../support/raw-client.ts';
import { startUpstream, type Upstream } from '../support/serving.ts';
import { type Load, type LoadAnswer, startLoad } from '../support/steady-load.ts';
import { exchangeMessages, openWebSocket, startEchoServer } from '../support/websockets.ts';
import { scrapeSum, serveWorkers, workerPolicy } from '../support/worker-gateway.ts';

async function versionOf(port: number, user: string): Promise<string | null> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-user-id': user, connection: 'close' } });
  await answer.text();
  return answer.headers.get('x-graygate-version');
}

/** Answers to requests that were sent from this number on. */
function sentSince({ answers }: Load, sent: number): LoadAnswer[] {
  return answers.filter(({ number }) => number >= sent);
}

/** Waits until all workers have heard of a rollback: of two hundred requests in a row none meets the canary. */
async function untilStable(load: Load): Promise<void> {
  await eventually('two hundred that the canary does not get', () => {
    const last = sentSince(load, load.sentCount() - 300);
    return last.length > 200 && last.every(({ version }) => version === 'stable');
  });
  const sent = load.sentCount();
  await eventually('traffic afterwards', () => sentSince(load, sent).length > 200);
  assert.deepEqual(new Set(sentSince(load, sent).map(({ version }) => version)), new Set(['stable']));
}

test('all workers take traffic, and the metrics are what the client counted, to the last request', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const canary = await startUpstream(t, (_, response) => void response.writeHead(500).end('new'));
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary }, { workers: 3 }));
  const load = startLoad({ port: gateway.port, perSecond: 300, users: 200 });
  await eventually('traffic', () => load.answers.length > 600);
  await load.stop();
  const countOf = (version: string) => load.answers.filter((answer) => answer.version === version).length;
  const metric = 'graygate_requests_total';
  const all = load.answers.length;
  await eventually('every request to be counted', async () => (await scrapeSum(gateway, metric)) >= all);
  assert.equal(await scrapeSum(gateway, metric, { version: 'stable', code: '200' }), countOf('stable'));
  assert.equal(await scrapeSum(gateway, metric, { version: 'canary', code: '500' }), countOf('canary'));
  assert.equal(await scrapeSum(gateway, metric), all);
  assert.equal(await scrapeSum(gateway, 'graygate_decisions_total', { reason: 'split' }), all);
  assert.equal(await scrapeSum(gateway, 'graygate_request_duration_seconds_count'), all);
  assert.equal(await scrapeSum(gateway, 'graygate_requests_in_flight'), 0);
  assert.equal(await scrapeSum(gateway, 'graygate_workers'), 3);
});

test('long-lived connections are spread evenly over the workers', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary: stable }, { workers: 3 }));
  // One after the other: of those that come at once a worker that is busy gets fewer.
  for (let i = 0; i < 30; i += 1) {
    const client = new RawClient(gateway.port);
    t.after(() => void client.socket.destroy());
    client.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    await client.untilReplies(1);
  }
  const open = await eventually('all connections to be counted', async () => {
    const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    const counts = parseSamples(text).filter(({ name }) => name === 'graygate_worker_connections');
    return counts.reduce((sum, { value }) => sum + value, 0) === 30 ? counts.map(({ value }) => value) : null;
  });
  assert.deepEqual(open, [10, 10, 10]);
});

test('a new policy reaches every worker, with the long list of users that it names', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const canary = await startUpstream(t, (_, response) => response.end('new'));
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary }, { rollout: '    split: { canary: 0 }\n' }));
  const users = Array.from({ length: 200_000 }, (_, index) => `user-${index}`);
  writeFileSync(join(gateway.folder, 'testers.txt'), users.join('\n'));
  const rollout = `    split: { canary: 0 }
    rules: [{ name: testers, when: { user: { file: testers.txt } }, use: canary }]
`;
  writeFileSync(gateway.policyFile, workerPolicy({ stable, canary }, { rollout }));
  gateway.process.kill('SIGHUP');
  const asked = ['user-0', 'user-99999', 'user-199999', 'user-0', 'user-99999', 'user-199999'];
  await eventually('every worker to know them', async () => {
    const versions = await Promise.all(asked.map((user) => versionOf(gateway.port, user)));
    return versions.every((version) => version === 'canary');
  });
  assert.equal(await versionOf(gateway.port, 'user-200000'), 'stable');
});

test('a rollback is in force in every worker when it is answered, or milliseconds later', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const canary = await startUpstream(t, (_, response) => response.end('new'));
  const rollout = '    stages: [{ name: half, percent: 50, hold: 1h }, { name: full, percent: 100 }]\n';
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary }, { rollout }));
  const load = startLoad({ port: gateway.port, perSecond: 200, users: 50 });
  await eventually('the canary to serve', () => load.answers.filter(({ version }) => version === 'canary').length > 50);
  const answer = await fetch(`${gateway.adminUrl}/api/v1/rollouts/shop/rollback`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'a test' }),
  });
  assert.equal(answer.status, 200);
  const sent = load.sentCount();
  await untilStable(load);
  await load.stop();
  // The news is on its way to the workers for a moment; a hundred would be a second.
  const late = sentSince(load, sent).filter(({ version }) => version === 'canary').length;
  assert.ok(late <= 100, `${late} requests met the canary after the rollback`);
});

test('a canary that fails is rolled back by what all workers saw of it', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const canary = await startUpstream(t, (_, response) => void response.writeHead(500).end('broken'));
  const rollout = '    stages: [{ name: half, percent: 50, hold: 1h }, { name: full, percent: 100 }]\n';
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary }, { rollout }));
  const load = startLoad({ port: gateway.port, perSecond: 300, users: 2_000 });
  await eventually('the rollback', () => gateway.log.some(({ phase }) => phase === 'rolled-back'));
  await untilStable(load);
  await load.stop();
});

test('lines of the access log come whole, from every worker', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const gateway = await serveWorkers(
    t,
    workerPolicy({ stable, canary: stable }, { more: 'logging: { access: true }\n' }),
  );
  // Longer than a pipe takes at once; `serve` reads the log line by line and fails at one that is torn.
  const target = `/${'x'.repeat(9_000)}`;
  const get = async (): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.port}${target}`, { headers: { connection: 'close' } });
    await answer.text();
  };
  await Promise.all(Array.from({ length: 60 }, get));
  const lines = () => gateway.log.filter(({ msg }) => msg === 'request');
  await eventually('all lines', () => lines().length === 60);
  assert.deepEqual(new Set(lines().map(({ target: logged }) => logged)), new Set([target]));
  assert.deepEqual(new Set(lines().map(({ worker }) => worker)), new Set([1, 2]));
});

test('TLS, HTTP/2 and WebSockets are as they are in one process', async (t) => {
  const echo = await startEchoServer(t, 'echo');
  const stable = { url: echo.origin } as Upstream;
  const more = `tls: { cert: "${certificateFile('shop.pem')}", key: "${certificateFile('shop.key')}" }\n`;
  const rollout = '    match: { path: /echo }\n    split: { canary: 50 }\n';
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary: stable }, { more, rollout }));
  const url = `https://localhost:${gateway.port}`;
  for (let i = 0; i < 4; i += 1) {
    const session = connect(url, { ca: authority });
    const [headers] = (await once(session.request({ ':path': '/none' }), 'response')) as [Record<string, unknown>];
    assert.equal(headers[':status'], 404);
    session.destroy();
    const socket = await openWebSocket(t, `${url}/echo`, { ca: authority });
    assert.equal(String(await exchangeMessages(socket, 'hello')), 'echo:hello');
  }
});

test('a client resumes its TLS session with whichever worker gets its connection', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const more = `tls: { cert: "${certificateFile('shop.pem')}", key: "${certificateFile('shop.key')}" }\n`;
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary: stable }, { more, workers: 3 }));
  const isReused = async (session?: Buffer): Promise<boolean> => {
    const socket = connectTls({ port: gateway.port, host: 'localhost', ca: authority, ...(session && { session }) });
    socket.on('session', (ticket: Buffer) => tickets.push(ticket));
    t.after(() => void socket.destroy());
    await once(socket.resume(), 'secureConnect');
    return socket.isSessionReused();
  };
  const tickets: Buffer[] = [];
  assert.equal(await isReused(), false);
  const ticket = await eventually('a ticket', () => tickets[0]);
  const answers = await Promise.all(Array.from({ length: 6 }, () => isReused(ticket)));
  assert.deepEqual(answers, [true, true, true, true, true, true]);
});

test('what users do is counted once, whichever worker sees it', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const rollout = `    split: { canary: 50 }
    events:
      - { name: view, on: { method: GET, path: / } }
`;
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary: stable }, { rollout }));
  const load = startLoad({ port: gateway.port, perSecond: 200, users: 50 });
  await eventually('traffic', () => load.answers.length > 300);
  await load.stop();
  const seen = () => scrapeSum(gateway, 'graygate_events_total', { event: 'view' });
  await eventually('every event to be counted', async () => (await seen()) >= load.answers.length);
  assert.equal(await seen(), load.answers.length);
});
