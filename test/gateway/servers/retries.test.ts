// What is sent again, to whom, how often, and what is counted.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { RetryReason } from '../../../src/rollout/outcome.ts';
import type { RetryRule } from '../../../src/rollout/serving.ts';
import { createGate, eventually } from '../../support/eventually.ts';
import { faultsBeforeHead } from '../../support/faulty-upstreams.ts';
import { startGateway, type TestContext } from '../../support/gateways.ts';
import { send, type Sending } from '../../support/http-client.ts';
import { sumOf } from '../../support/metric-samples.ts';
import { shopPolicy, type VersionSketch } from '../../support/policies.ts';
import { startRecordingUpstream } from '../../support/recording-upstream.ts';

const every: ReadonlySet<RetryReason> = new Set(['connect', 'reset', 'timeout', '502', '503', '504']);
const usual: RetryRule = { attempts: 1, on: every, budgetPercent: 20, perTryMs: null };

/** Never ejects, so that each request meets the servers in turn: the first one is for the first server. */
async function startOver(
  context: TestContext,
  servers: string[],
  rule: Partial<RetryRule> = {},
  sketch: Partial<VersionSketch> = {},
) {
  const serving = {
    retries: { ...usual, ...rule },
    eject: { after: 5, withinMs: 1, forMs: 1, maxPercent: 0 },
    ...sketch.serving,
  };
  const running = await startGateway(context, shopPolicy({ stable: { ...sketch, servers, serving } }));
  const ask = async (sending: Partial<Sending> = {}) => {
    const reply = await send({ port: running.port, ...sending });
    return [reply.status, reply.body];
  };
  return { ...running, ask };
}

const answering = (status: number, body: string) => (_request: unknown, response: AnswerStream) =>
  response.writeHead(status).end(body);
type AnswerStream = { writeHead(status: number): { end(body: string): void } };

suite('a GET goes to another server when the first one', { concurrency: 4 }, () => {
  for (const [what, faulty] of Object.entries(faultsBeforeHead)) {
    const { kind, timeouts } = faulty;
    const isAgain = kind !== 'protocol';
    test(`${what}${isAgain ? '' : ': no, what it is sent may harm the next one too'}`, async (context) => {
      const good = await startRecordingUpstream(context, 'good');
      const { ask, outcomes, metrics } = await startOver(
        context,
        [await faulty.start(context), good.origin],
        {},
        { timeouts },
      );
      assert.equal((await ask())[0], isAgain ? 200 : 502);
      await eventually('the outcome', () => outcomes.length === 1);
      const count = isAgain ? 1 : 0;
      assert.deepEqual(outcomes[0]!.retries, isAgain ? [kind] : []);
      assert.equal(await sumOf(metrics, 'graygate_retries_total', isAgain ? { reason: kind } : {}), count);
      assert.equal(await sumOf(metrics, 'graygate_upstream_errors_total', { kind }), 1);
      assert.equal(await sumOf(metrics, 'graygate_requests_total'), 1);
    });
  }

  for (const status of [502, 503, 504]) {
    test(`answers ${status}`, async (context) => {
      const bad = await startRecordingUpstream(context, answering(status, 'bad'));
      const good = await startRecordingUpstream(context, 'good');
      const { ask, outcomes, metrics } = await startOver(context, [bad.origin, good.origin]);
      assert.deepEqual(await ask(), [200, 'good']);
      await eventually('the outcome', () => outcomes.length === 1);
      assert.deepEqual([outcomes[0]!.retries, outcomes[0]!.faults], [[String(status)], []]);
      assert.equal(await sumOf(metrics, 'graygate_retries_total', { reason: String(status) }), 1);
      assert.equal(await sumOf(metrics, 'graygate_requests_total', { code: '200' }), 1);
      assert.equal(await sumOf(metrics, 'graygate_requests_total'), 1);
      assert.equal(bad.requests.length, 1);
    });
  }
});

test('a status that is not in the list is passed on', async (context) => {
  const bad = await startRecordingUpstream(context, answering(500, 'bad'));
  const good = await startRecordingUpstream(context, 'good');
  const { ask } = await startOver(context, [bad.origin, good.origin]);
  assert.deepEqual(await ask(), [500, 'bad']);
});

test('when all tries are used up the last answer is passed on', async (context) => {
  const servers = await Promise.all(
    [0, 1, 2].map(async (index) => startRecordingUpstream(context, answering(503, `bad ${index}`))),
  );
  const { ask } = await startOver(
    context,
    servers.map(({ origin }) => origin),
    { attempts: 2 },
  );
  assert.deepEqual(await ask(), [503, 'bad 2']);
  assert.deepEqual(
    servers.map(({ requests }) => requests.length),
    [1, 1, 1],
  );
});

test('where there is no other server the same one is asked again after a status, so often as attempts allow', async (context) => {
  const replies = [503, 503, 200];
  const flaky = await startRecordingUpstream(context, (_request, response) => {
    response.writeHead(replies[flaky.requests.length - 1]!).end('answer');
  });
  const { ask } = await startOver(context, [flaky.origin], { attempts: 2 });
  assert.deepEqual(await ask(), [200, 'answer']);
  assert.equal(flaky.requests.length, 3);
});

suite('what is not safe', () => {
  for (const method of ['POST', 'PATCH', 'PUT', 'DELETE']) {
    test(`a ${method} that a server answered with 503 is not sent again`, async (context) => {
      const bad = await startRecordingUpstream(context, answering(503, 'bad'));
      const good = await startRecordingUpstream(context, 'good');
      const { ask } = await startOver(context, [bad.origin, good.origin]);
      assert.deepEqual(await ask({ method }), [503, 'bad']);
      assert.equal(good.requests.length, 0);
    });
  }

  test('a POST is sent to another server, body and all, where the first one refused the connection', async (context) => {
    const good = await startRecordingUpstream(context, (request, response) => {
      request.pipe(response);
    });
    const { ask } = await startOver(context, ['http://127.0.0.1:1', good.origin]);
    assert.deepEqual(await ask({ method: 'POST', body: 'whole' }), [200, 'whole']);
  });

  test('a GET whose body was read is not sent again', async (context) => {
    const bad = await startRecordingUpstream(context, (request, response) => {
      request.resume().on('end', () => response.writeHead(503).end('bad'));
    });
    const good = await startRecordingUpstream(context, 'good');
    const { ask } = await startOver(context, [bad.origin, good.origin]);
    assert.deepEqual(await ask({ body: 'read' }), [503, 'bad']);
    assert.equal(good.requests.length, 0);
  });
});

test('servers that refuse are passed over, however few attempts there are', async (context) => {
  const good = await startRecordingUpstream(context, 'good');
  const gone = ['http://127.0.0.1:1', 'http://127.0.0.2:1', 'http://127.0.0.3:1'];
  const { ask, outcomes } = await startOver(context, [...gone, good.origin]);
  for (let i = 0; i < 4; i += 1) assert.deepEqual(await ask({ method: 'POST', body: 'x' }), [200, 'good']);
  await eventually('the outcomes', () => outcomes.length === 4);
  assert.equal(Math.max(...outcomes.map(({ retries }) => retries.length)), 3);
});

suite('nothing is sent again', () => {
  const rows: [what: string, rule: Partial<RetryRule>][] = [
    ['without attempts', { attempts: 0 }],
    ['for a reason that is not in the list', { on: new Set(['reset', '502']) }],
  ];
  for (const [what, rule] of rows) {
    test(`${what}: a refused connection`, async (context) => {
      const good = await startRecordingUpstream(context, 'good');
      const { ask } = await startOver(context, ['http://127.0.0.1:1', good.origin], rule);
      assert.equal((await ask())[0], 502);
      assert.equal(good.requests.length, 0);
    });
    test(`${what}: an answer`, async (context) => {
      const bad = await startRecordingUpstream(context, answering(503, 'bad'));
      const good = await startRecordingUpstream(context, 'good');
      const { ask } = await startOver(context, [bad.origin, good.origin], rule);
      assert.deepEqual(await ask(), [503, 'bad']);
    });
  }

  test('beyond the budget', async (context) => {
    const gate = createGate();
    const bad = await startRecordingUpstream(context, (_request, response) => {
      if (bad.requests.length <= 10) void gate.opened.then(() => response.writeHead(503).end('bad'));
      else response.writeHead(503).end('bad');
    });
    // The retries wait at the other server, so that all of them are under way at one time.
    const held = createGate();
    const good = await startRecordingUpstream(context, (_request, response) => {
      if (good.requests.length <= 10) response.end('good');
      else void held.opened.then(() => response.end('good'));
    });
    const { ask, metrics } = await startOver(context, [bad.origin, good.origin]);
    const asking = Promise.all(Array.from({ length: 20 }, async () => ask()));
    await eventually('half of them wait', () => bad.requests.length === 10);
    // What is under way counts: none of the others may be.
    await eventually('half are answered', async () => (await sumOf(metrics, 'graygate_requests_total')) === 10);
    gate.open();
    await eventually('the retries', async () => (await sumOf(metrics, 'graygate_retries_total')) === 3);
    await eventually('the others are answered', async () => (await sumOf(metrics, 'graygate_requests_total')) === 17);
    held.open();
    const statuses = (await asking).map(([status]) => status);
    assert.equal(statuses.filter((status) => status === 503).length, 7);
    // What was taken is given back: three more may be tried again.
    assert.deepEqual(
      [await ask(), await ask()].map(([status]) => status),
      [200, 200],
    );
  });
});

suite('a time for each try', { concurrency: 4 }, () => {
  test('gives up on a slow server early, as long as another one is left', async (context) => {
    const slow = await startRecordingUpstream(context, () => undefined);
    const good = await startRecordingUpstream(context, 'good');
    const { ask, outcomes, metrics } = await startOver(context, [slow.origin, good.origin], { perTryMs: 1_000 });
    assert.deepEqual(await ask(), [200, 'good']);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([outcomes[0]!.retries, outcomes[0]!.faults.map(({ kind }) => kind)], [['timeout'], ['timeout']]);
    assert.equal(await sumOf(metrics, 'graygate_upstream_errors_total', { server: slow.origin, kind: 'timeout' }), 1);
    await eventually('the slow one is told', () => slow.requests[0]!.aborted);
  });

  test('leaves the last try all of its time', async (context) => {
    const gate = createGate();
    const slow = await startRecordingUpstream(context, () => undefined);
    const slower = await startRecordingUpstream(
      context,
      (_request, response) => void gate.opened.then(() => response.end('at last')),
    );
    const { ask } = await startOver(context, [slow.origin, slower.origin], { perTryMs: 500 });
    const asking = ask();
    await eventually('both were asked', () => slow.requests.length === 1 && slower.requests.length === 1);
    setTimeout(() => gate.open(), 1_500);
    assert.deepEqual(await asking, [200, 'at last']);
    assert.equal(slow.requests.length + slower.requests.length, 2);
  });

  test('says nothing of a request that cannot be sent again', async (context) => {
    const gate = createGate();
    const slow = await startRecordingUpstream(
      context,
      (_request, response) => void gate.opened.then(() => response.end('at last')),
    );
    const good = await startRecordingUpstream(context, 'good');
    const { ask } = await startOver(context, [slow.origin, good.origin], { perTryMs: 50 });
    const asking = ask({ method: 'POST', body: 'once' });
    setTimeout(() => gate.open(), 200);
    assert.deepEqual(await asking, [200, 'at last']);
  });

  test('does not hurry a body', async (context) => {
    const gate = createGate();
    const slow = await startRecordingUpstream(context, (_request, response) => {
      response.write('begun, ');
      void gate.opened.then(() => response.end('done'));
    });
    const { ask } = await startOver(context, [slow.origin, slow.origin.replace('127.0.0.1', 'localhost')], {
      perTryMs: 50,
    });
    const asking = ask();
    setTimeout(() => gate.open(), 200);
    assert.deepEqual(await asking, [200, 'begun, done']);
  });
});

test('a candidate that keeps answering 503 is not answered by the baseline: it did answer', async (context) => {
  const bad = await startRecordingUpstream(context, answering(503, 'bad'));
  const good = await startRecordingUpstream(context, 'good');
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: good.origin, canary: bad.origin }));
  const reply = await send({ port, headers: ['x-user-id', 'u'] });
  assert.deepEqual([reply.status, reply.body, bad.requests.length, good.requests.length], [503, 'bad', 2, 0]);
  await eventually('the outcome', () => outcomes.length === 1);
  assert.deepEqual([outcomes[0]!.retries, outcomes[0]!.fallback], [['503'], null]);
});
