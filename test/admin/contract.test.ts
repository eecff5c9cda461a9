// The API answers what its description says: every route, every status that can be brought about, body by body.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { z } from 'zod';
import {
  healthShape,
  historyShape,
  policyShape,
  problemShape,
  readinessShape,
  rolloutShape,
  rolloutsShape,
} from '../../src/admin/contract.ts';
import { differencesShape } from '../../src/admin/difference-routes.ts';
import { signpostShape } from '../../src/admin/signpost-route.ts';
import { eventsAnswerShape, forgottenShape } from '../../src/admin/contract-events.ts';
import { experimentShape } from '../../src/admin/contract-experiment.ts';
import { explanationShape } from '../../src/admin/contract-decision.ts';
import { comparison, measuredAt, skewedRatio, source } from '../support/rollout-machine.ts';
import type { Reply } from '../support/http-client.ts';
import { figures, counted, conversion, experiment, proportion } from '../rollout/experiment-report/experiments.ts';
import { type AdminPort, type Asking, openAdminPort } from './admin-port.ts';
import { bearer, ingestToken, threeTokens, viewerToken } from './fake-parts.ts';

type Operation = {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
};
type Description = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

/** What each call that is not a page or text answers with when it is done. */
const shapes: Readonly<Record<string, z.ZodType>> = {
  'GET /': signpostShape,
  'GET /healthz': healthShape,
  'GET /readyz': readinessShape,
  'GET /api/v1/rollouts': rolloutsShape,
  'GET /api/v1/rollouts/{name}': rolloutShape,
  'GET /api/v1/rollouts/{name}/history': historyShape,
  'GET /api/v1/rollouts/{name}/differences': differencesShape,
  'POST /api/v1/rollouts/{name}/{action}': rolloutShape,
  'GET /api/v1/experiments/{rollout}': experimentShape,
  'GET /api/v1/decide': explanationShape,
  'GET /api/v1/policy': policyShape,
  'POST /api/v1/events': eventsAnswerShape,
  'DELETE /api/v1/users/{id}': forgottenShape,
};

type Row = {
  readonly call: string;
  readonly path?: string;
  readonly status: number;
  readonly asking?: Asking;
  readonly before?: (admin: AdminPort) => unknown;
};

const act = 'POST /api/v1/rollouts/{name}/{action}';
const one = 'GET /api/v1/rollouts/{name}';
const history = 'GET /api/v1/rollouts/{name}/history';
const differences = 'GET /api/v1/rollouts/{name}/differences';
const link = 'GET /api/v1/links/{token}';
const press = 'POST /api/v1/links/{token}';
const json = { reason: 'because' };
const events = 'POST /api/v1/events';
const users = 'DELETE /api/v1/users/{id}';
const sent = { json: [{ id: 'e-1', rollout: 'shop', user: 'u-1', event: 'view' }, 'nonsense'] };
const asForm = { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' };
const report = 'GET /api/v1/experiments/{rollout}';
const asked = '/api/v1/experiments/shop';
const observed = ({ rooms }: AdminPort) => {
  rooms.experiment = experiment();
  rooms.figures = figures([counted(conversion, [proportion(20_000, 1_000), proportion(20_000, 1_300)])]);
};
const sick = ({ rooms }: AdminPort) => (rooms.isStoreWell = false);
const lost = ({ rooms }: AdminPort) => (rooms.isKnown = false);
const guarded = ({ rooms }: AdminPort) => (rooms.tokens = threeTokens);
const linked = ({ rooms }: AdminPort) =>
  rooms.links.set('t', {
    ok: true,
    link: { id: 'l', rollout: 'shop', action: 'rollback', revision: null, by: 'link', expiresMs: 9e12 },
  });
const everyVerdict = [comparison('pass'), comparison('fail'), source('error', { check: 'cpu' }), source('fail')];

const rows: readonly Row[] = [
  { call: 'GET /', status: 200 },
  { call: 'GET /healthz', status: 200 },
  { call: 'GET /readyz', status: 200 },
  { call: 'GET /readyz', path: '/readyz?verbose', status: 200 },
  { call: 'GET /readyz', path: '/readyz?verbose', status: 503, before: ({ rooms }) => (rooms.readiness.ready = false) },
  { call: 'GET /metrics', status: 200 },
  { call: 'GET /api/v1/rollouts', status: 200 },
  { call: 'GET /api/v1/rollouts', status: 503, before: lost },
  { call: 'GET /api/v1/rollouts', status: 401, before: guarded },
  { call: one, status: 200 },
  { call: one, status: 200, before: ({ rooms }) => ((rooms.state = null), (rooms.measured = null)) },
  { call: one, status: 200, before: (admin) => admin.act('pause') },
  { call: one, status: 200, before: (admin) => admin.act('rollback') },
  { call: one, status: 200, before: (admin) => admin.act('promote') },
  {
    call: one,
    status: 200,
    before: ({ rooms }) => {
      const candidate = { kind: 'stalled', sinceMs: 5, timeoutMs: 9 } as const;
      rooms.measured = measuredAt(0, { verdicts: everyVerdict, sampleRatio: skewedRatio, candidate });
    },
  },
  { call: one, status: 200, before: ({ rooms }) => (rooms.measured = measuredAt(0, { verdicts: [latencyVerdict()] })) },
  { call: one, path: '/api/v1/rollouts/nobody', status: 404 },
  { call: one, status: 421, asking: { headers: { host: 'evil.example' } } },
  { call: one, status: 403, asking: { headers: { origin: 'https://evil.example' } } },
  { call: history, status: 200, before: (admin) => admin.act('pause') },
  { call: history, path: '/api/v1/rollouts/shop/history?since=x', status: 400 },
  { call: history, path: '/api/v1/rollouts/nobody/history', status: 404 },
  { call: history, status: 503, before: sick },
  { call: differences, status: 200 },
  { call: differences, path: '/api/v1/rollouts/nobody/differences', status: 404 },
  { call: differences, status: 503, before: lost },
  { call: report, path: asked, status: 200, before: observed },
  { call: report, path: asked, status: 200, before: ({ rooms }) => (rooms.experiment = experiment()) },
  { call: report, path: `${asked}?format=csv`, status: 200, before: observed },
  { call: report, path: `${asked}?format=html&lang=zh`, status: 200, before: observed },
  { call: report, path: `${asked}?format=pdf`, status: 400, before: observed },
  { call: report, path: asked, status: 404 },
  { call: report, path: `${asked}?release=9.9`, status: 404, before: observed },
  { call: report, status: 404, path: '/api/v1/experiments/nobody' },
  { call: report, path: asked, status: 503, before: (admin) => (observed(admin), sick(admin)) },
  { call: act, status: 200, asking: { json } },
  { call: act, status: 400, asking: { json: {} } },
  { call: act, status: 401, asking: { json }, before: guarded },
  { call: act, status: 403, asking: { json, headers: { authorization: bearer(viewerToken) } }, before: guarded },
  { call: act, path: '/api/v1/rollouts/shop/explode', status: 404, asking: { json } },
  { call: act, path: '/api/v1/rollouts/shop/resume', status: 409, asking: { json } },
  { call: act, status: 412, asking: { json, headers: { 'if-match': '"9"' } } },
  { call: act, status: 413, asking: { json: { reason: 'a'.repeat(70_000) } } },
  { call: act, status: 415, asking: { body: 'x', headers: { 'content-type': 'text/plain' } } },
  {
    call: act,
    status: 422,
    asking: { json: { reason: 'another' }, headers: { 'idempotency-key': 'k' } },
    before: (admin) => admin.act('pause', { headers: { 'idempotency-key': 'k' } }),
  },
  { call: act, path: '/api/v1/rollouts/shop/advance', status: 503, asking: { json }, before: sick },
  {
    call: act,
    status: 500,
    asking: { json },
    before: ({ rooms }) => (rooms.beforeAct = () => Promise.reject(new Error('inside'))),
  },
  { call: 'GET /api/v1/decide', path: '/api/v1/decide?user=u-1', status: 200 },
  { call: 'GET /api/v1/decide', status: 200 },
  { call: 'GET /api/v1/decide', path: '/api/v1/decide?ip=x', status: 400 },
  { call: 'GET /api/v1/decide', path: '/api/v1/decide?rollout=nobody', status: 404 },
  { call: 'GET /api/v1/policy', status: 200 },
  {
    call: 'GET /api/v1/policy',
    status: 403,
    asking: { headers: { authorization: bearer(ingestToken) } },
    before: guarded,
  },
  {
    call: 'GET /api/v1/policy',
    status: 429,
    asking: { headers: { authorization: 'Bearer wrong-again' } },
    before: guess,
  },
  { call: events, status: 200, asking: sent },
  { call: events, status: 400, asking: { json: [] } },
  { call: events, status: 401, asking: sent, before: guarded },
  {
    call: events,
    status: 413,
    asking: { body: ' '.repeat(1_100_000), headers: { 'content-type': 'application/json' } },
  },
  { call: events, status: 415, asking: { body: '[]', headers: { 'content-type': 'text/plain' } } },
  { call: events, status: 429, asking: sent, before: ({ rooms }) => (rooms.isOverloaded = true) },
  { call: events, status: 503, asking: sent, before: sick },
  { call: users, path: '/api/v1/users/u-1', status: 200 },
  { call: users, path: '/api/v1/users/u-1?x=1', status: 400 },
  { call: users, path: '/api/v1/users/u-1', status: 503, before: sick },
  { call: 'GET /api/v1/stream', status: 503 },
  { call: 'GET /api/openapi.json', status: 200 },
  { call: link, status: 200, before: linked },
  { call: link, status: 404 },
  { call: press, status: 200, asking: asForm, before: linked },
  { call: press, status: 415, asking: { json }, before: linked },
  { call: press, status: 404, asking: asForm },
];

suite('every call answers as it is described', async () => {
  for (const row of rows) {
    test(`${row.call} with ${row.status} (${row.path ?? 'as it is'})`, async () => {
      const admin = await openAdminPort({ subscriberCount: 0 });
      const description = await describe(admin);
      await row.before?.(admin);
      const [method = '', template = ''] = row.call.split(' ');
      const path = row.path ?? template.replace('{name}', 'shop').replace('{action}', 'pause').replace('{token}', 't');
      const reply = await admin.ask(path, { method, ...row.asking });
      assert.equal(reply.status, row.status, reply.body);
      requireDescribed(description, row.call, reply);
      requireShape(row.call, reply);
    });
  }

  test('no call and no answer of another kind is left out', async () => {
    const { paths } = await describe(await openAdminPort());
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.deepEqual(described.toSorted(), [...new Set(rows.map(({ call }) => call))].toSorted());
    // The stream's own answer is read in stream.test.ts, the description's here.
    const done = new Set(rows.filter(({ status }) => status === 200).map(({ call }) => call));
    assert.deepEqual(
      described.filter((call) => !done.has(call)),
      ['GET /api/v1/stream'],
    );
  });
});

suite('the description', () => {
  test('is an OpenAPI 3.1 document of this version that asks for a token', async () => {
    const { ask } = await openAdminPort();
    const document = (await ask('/api/openapi.json')).json();
    assert.equal(document['openapi'], '3.1.0');
    assert.equal((document['info'] as { version: string }).version, '1.2.3');
    assert.deepEqual(document['security'], [{ token: [] }]);
  });

  test('holds every field of the answer: one that is not described is not sent', async () => {
    const admin = await openAdminPort();
    Object.assign(admin.rooms.state!, { inner: 'thoughts' });
    Object.assign(admin.rooms.rollout.staging.stages[0]!, { inner: 'thoughts' });
    const replies = [
      await admin.ask('/api/v1/rollouts/shop'),
      await admin.ask('/api/v1/rollouts'),
      await admin.act('pause'),
    ];
    for (const reply of replies) assert.equal(reply.body.includes('thoughts'), false);
  });
});

async function describe(admin: AdminPort): Promise<Description> {
  return (await admin.ask('/api/openapi.json')).json() as unknown as Description;
}

function requireDescribed({ paths }: Description, call: string, reply: Reply): void {
  const [method = '', path = ''] = call.split(' ');
  const { responses } = paths[path]![method.toLowerCase()]!;
  const described = responses[reply.status] ?? responses[`${String(reply.status).charAt(0)}XX`];
  assert.ok(described !== undefined, `${call} says nothing of ${reply.status}`);
  const type = (reply.header('content-type') ?? '').split(';')[0]!;
  assert.ok(type in (described.content ?? {}), `${call} does not say that ${reply.status} is ${type}`);
}

function requireShape(call: string, reply: Reply): void {
  const type = reply.header('content-type') ?? '';
  if (!type.includes('json')) return;
  const isProblem = type.startsWith('application/problem+json');
  const shape = isProblem ? problemShape : shapes[call];
  if (shape === undefined) return assert.equal(call, 'GET /api/openapi.json');
  const body = reply.json();
  assert.deepEqual(shape.parse(body), body);
  if (isProblem) assert.equal(body['status'], reply.status);
}

async function guess(admin: AdminPort): Promise<void> {
  guarded(admin);
  for (let i = 0; i < 10; i += 1) {
    await admin.ask('/api/v1/policy', { headers: { authorization: `Bearer wrong-${i}` } });
  }
}

function latencyVerdict() {
  const quantile = { quantile: 0.5, baselineMs: 10, candidateMs: null, logHarm: 0, logProof: 0 };
  const evidence = { kind: 'latency', logHarm: 0, harmThreshold: 4, logProof: 0, proofThreshold: 3 } as const;
  return {
    check: 'error-rate',
    version: 'canary',
    role: 'guard',
    answer: 'not-enough-data',
    sentence: 'nothing yet',
    evidence: { ...evidence, quantiles: [quantile], baselineRequests: 4, candidateRequests: 0 },
  } as const;
}
