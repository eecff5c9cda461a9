// Health checks over real sockets: what is asked, what counts as well, and what becomes of the requests.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { HealthCheck } from '../../../src/rollout/serving.ts';
import { eventually } from '../../support/eventually.ts';
import { faultsBeforeHead } from '../../support/faulty-upstreams.ts';
import { type RunningGateway, startGateway, type TestContext } from '../../support/gateways.ts';
import { send } from '../../support/http-client.ts';
import { sumOf } from '../../support/metric-samples.ts';
import { shopPolicy } from '../../support/policies.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../../support/recording-upstream.ts';

const check: HealthCheck = { path: '/healthz?q=1', everyMs: 20, timeoutMs: 2_000, unhealthyAfter: 3, healthyAfter: 2 };

/** A server whose health the test sets, and what it was asked. */
async function startPatient(context: TestContext, name: string) {
  const patient = { status: 200, checkCount: 0, userCount: 0, upstream: null as unknown as RecordingUpstream };
  patient.upstream = await startRecordingUpstream(context, (request, response) => {
    if (request.url !== check.path) {
      patient.userCount += 1;
      response.end(name);
      return;
    }
    patient.checkCount += 1;
    response.writeHead(patient.status, ['Location', '/elsewhere']).end();
  });
  return patient;
}

const isUp = async ({ metrics }: RunningGateway, server: string): Promise<number> =>
  sumOf(metrics, 'graygate_server_up', { server });

const policyOver = ({ upstream }: { upstream: RecordingUpstream }) =>
  shopPolicy({ stable: { servers: [upstream.origin], serving: { health: check } } });

test('a server is asked at once, as the policy says, on connections of their own', async (context) => {
  const patient = await startPatient(context, 'a');
  await startGateway(
    context,
    shopPolicy({ stable: { servers: [patient.upstream.origin], serving: { health: check } } }),
  );
  await eventually('it is checked thrice', () => patient.checkCount >= 3);
  const [first, second] = patient.upstream.requests;
  assert.deepEqual([first!.method, first!.url, first!.body], ['GET', check.path, '']);
  assert.equal(first!.header('host'), new URL(patient.upstream.origin).host);
  assert.equal(first!.header('user-agent'), 'graygate-health');
  assert.notEqual(first!.connection, second!.connection);
});

test('so many bad answers in a row take a server out, so many good ones bring it back', async (context) => {
  const [a, b] = [await startPatient(context, 'a'), await startPatient(context, 'b')];
  const servers = [a.upstream.origin, b.upstream.origin];
  const running = await startGateway(context, shopPolicy({ stable: { servers, serving: { health: check } } }));
  await eventually('both were found well', () => a.checkCount >= 1 && b.checkCount >= 1);
  a.status = 503;
  const before = a.checkCount;
  await eventually('a is out', async () => (await isUp(running, servers[0]!)) === 0);
  assert.ok(a.checkCount >= before + 3, `it went out after ${a.checkCount - before} bad answers`);
  a.userCount = 0;
  for (let i = 0; i < 6; i += 1) assert.equal((await send({ port: running.port })).body, 'b');
  assert.equal(a.userCount, 0);
  a.status = 204;
  await eventually('a is back', async () => (await isUp(running, servers[0]!)) === 1);
  const bodies = [(await send({ port: running.port })).body, (await send({ port: running.port })).body];
  assert.deepEqual(bodies.toSorted(), ['a', 'b']);
});

test('the first check alone takes out a server that was never well', async (context) => {
  const patient = await startPatient(context, 'a');
  patient.status = 500;
  const slowly = { ...check, everyMs: 60_000 };
  const running = await startGateway(
    context,
    shopPolicy({ stable: { servers: [patient.upstream.origin], serving: { health: slowly } } }),
  );
  await eventually('it is out', async () => (await isUp(running, patient.upstream.origin)) === 0);
  assert.equal(patient.checkCount, 1);
});

suite('an answer', () => {
  for (const [status, isWell] of [
    [200, true],
    [204, true],
    [302, true],
    [404, false],
    [429, false],
    [500, false],
  ] as const) {
    test(`${status} is ${isWell ? 'good' : 'bad'}`, async (context) => {
      const patient = await startPatient(context, 'a');
      patient.status = status;
      const serving = { health: { ...check, unhealthyAfter: 1 } };
      const { origin } = patient.upstream;
      const running = await startGateway(context, shopPolicy({ stable: { servers: [origin], serving } }));
      await eventually('two checks are over', () => patient.checkCount > 2);
      assert.equal(await isUp(running, origin), isWell ? 1 : 0);
    });
  }
});

suite('a server is out that', { concurrency: 4 }, () => {
  for (const [what, faulty] of Object.entries(faultsBeforeHead)) {
    test(what, async (context) => {
      const origin = await faulty.start(context);
      const serving = { health: { ...check, timeoutMs: 300 } };
      const running = await startGateway(context, shopPolicy({ stable: { servers: [origin], serving } }));
      await eventually('it is out', async () => (await isUp(running, origin)) === 0);
    });
  }
});

test('a server whose body has no end is well, and its connection is not kept', async (context) => {
  const endless = await startRecordingUpstream(context, (_request, response) => {
    response.writeHead(200);
    response.write('and so on');
  });
  const running = await startGateway(
    context,
    shopPolicy({ stable: { servers: [endless.origin], serving: { health: check } } }),
  );
  await eventually('it was checked', () => endless.requests.length >= 5);
  assert.equal(await isUp(running, endless.origin), 1);
  await eventually('connections are closed', () => endless.openConnectionCount <= 1);
});

test('a reload that changes the check keeps what is known, and one without it takes the server back in', async (context) => {
  const patient = await startPatient(context, 'a');
  patient.status = 500;
  const { origin } = patient.upstream;
  const policyWith = (health: HealthCheck | null) => shopPolicy({ stable: { servers: [origin], serving: { health } } });
  const running = await startGateway(context, policyWith(check));
  await eventually('it is out', async () => (await isUp(running, origin)) === 0);
  running.gateway.adopt(policyWith({ ...check, healthyAfter: 3 }));
  assert.equal(await isUp(running, origin), 0);
  running.gateway.adopt(policyWith(null));
  await eventually('it is in', async () => (await isUp(running, origin)) === 1);
  const { checkCount } = patient;
  await send({ port: running.port });
  assert.ok(patient.checkCount <= checkCount + 1, 'it is still checked');
});

test('checks end with the policy that asked for them', async (context) => {
  const [old, next] = [await startPatient(context, 'old'), await startPatient(context, 'next')];
  const running = await startGateway(context, policyOver(old));
  await eventually('the old one is checked', () => old.checkCount > 0);
  running.gateway.adopt(policyOver(next));
  await eventually('the next one is checked', () => next.checkCount > 3);
  const { checkCount } = old;
  const later = next.checkCount + 5;
  await eventually('five more checks', () => next.checkCount >= later);
  assert.equal(old.checkCount, checkCount);
});
