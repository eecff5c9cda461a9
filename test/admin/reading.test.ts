// What the API shows: rollouts, their history, decisions, the policy, health.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ShownExplanation } from '../../src/admin/contract-decision.ts';
import type { ShownHistory, ShownRollout } from '../../src/admin/contract.ts';
import { experimentOn } from '../support/experiments.ts';
import { comparison, measuredAt } from '../support/rollout-machine.ts';
import { openAdminPort } from './admin-port.ts';

const shop = '/api/v1/rollouts/shop';

async function read<T>(admin: Awaited<ReturnType<typeof openAdminPort>>, path: string): Promise<T> {
  const reply = await admin.ask(path);
  assert.equal(reply.status, 200, reply.body);
  return JSON.parse(Buffer.from(reply.body, 'latin1').toString('utf8')) as T;
}

suite('a rollout', () => {
  test('is shown with where it stands, why, and what may be done', async () => {
    const admin = await openAdminPort();
    const shown = await read<ShownRollout>(admin, shop);
    assert.deepEqual([shown.name, shown.release, shown.revision, shown.holds], ['shop', 'r1', 1, 'held 1 s of 10 min']);
    assert.deepEqual([shown.state?.phase, shown.state?.percent, shown.state?.stage.name], ['progressing', 1, 's1']);
    assert.deepEqual(shown.actions, ['promote', 'rollback', 'pause', 'advance', 'step-back']);
    assert.deepEqual(
      shown.stages.map(({ percent }) => percent),
      [1, 5, 25, 100],
    );
    assert.equal(shown.bake?.controlPercent, 1);
  });

  test('is shown with the figures of each version, of the last minute and of the stage', async () => {
    const admin = await openAdminPort();
    const { versions } = await read<ShownRollout>(admin, shop);
    const [stable, canary] = versions;
    assert.deepEqual([stable?.role, stable?.percent, canary?.role, canary?.percent], ['baseline', 99, 'candidate', 1]);
    const { requestsPerSecond, p50Ms, p99Ms, ...counts } = canary!.recent;
    assert.deepEqual([counts.requests, counts.failures, counts.errorRatio], [100, 4, 0.04]);
    assert.ok(requestsPerSecond > 5 && requestsPerSecond < 10.1, `got ${requestsPerSecond}`);
    assert.ok(Math.abs(p50Ms! - 50) < 1 && Math.abs(p99Ms! - 99) < 2, `got ${p50Ms} and ${p99Ms}`);
    assert.ok(Math.abs(canary!.stage!.p50Ms! - 50) < 1 && Math.abs(canary!.stage!.p99Ms! - 99) < 2);
    assert.equal(stable!.stage?.p95Ms, null);
    assert.deepEqual([canary!.stage?.requests, canary!.stage?.failures, canary!.stage?.errorRatio], [100, 5, 0.05]);
    assert.deepEqual([stable!.recent.errorRatio, stable!.recent.p95Ms], [null, null]);
  });

  test('is shown with its checks in the order of the policy, and its servers', async () => {
    const admin = await openAdminPort();
    const { checks, versions, sampleRatio, candidateHealth } = await read<ShownRollout>(admin, shop);
    assert.deepEqual([checks[0]?.name, checks[0]?.verdict?.answer], ['error-rate', 'pass']);
    assert.equal(checks[0]?.verdict?.sentence, 'error-rate says pass');
    const addresses = [{ address: null, state: 'down' }];
    assert.deepEqual(versions[1]?.servers, [{ origin: 'http://10.0.0.2:3000', weight: 1, up: false, addresses }]);
    assert.deepEqual([sampleRatio?.answer, candidateHealth?.kind], ['ok', 'up']);
  });

  test('with an experiment is shown with where that stands', async () => {
    const admin = await openAdminPort();
    const standingNow = async () => (await read<ShownRollout>(admin, shop)).experiment;
    admin.rooms.experiment = null;
    assert.equal(await standingNow(), null);
    admin.rooms.experiment = experimentOn('purchase');
    const silent = { metric: 'conversion', winner: null, isOver: false, sentence: 'nothing has been counted yet' };
    assert.deepEqual(await standingNow(), silent);
    const standing = { metric: 'conversion', winner: 'canary', isOver: true, sentence: 'canary is better than stable' };
    const experiment = { ...standing, release: '2.4.0', then: 'report', figures: [] } as const;
    admin.rooms.measured = measuredAt(0, { experiment });
    assert.deepEqual(await standingNow(), standing);
  });

  test('of several candidates is shown with every check of each of them that gets users', async () => {
    const admin = await openAdminPort();
    const { rollout } = admin.rooms;
    const staging = {
      ...rollout.staging,
      stages: [],
      candidates: ['canary', 'c', 'd'] as const,
      split: { canary: 5, c: 5 },
    };
    admin.rooms.rollout = { ...rollout, staging };
    admin.rooms.measured = measuredAt(0, { verdicts: [comparison('pass'), comparison('fail', { version: 'c' })] });
    const { checks } = await read<ShownRollout>(admin, shop);
    assert.deepEqual(
      checks.map(({ name, version, verdict }) => [name, version, verdict?.version, verdict?.answer]),
      [
        ['error-rate', 'canary', 'canary', 'pass'],
        ['error-rate', 'c', 'c', 'fail'],
      ],
    );
  });

  test('that has not begun is shown without a state, and offers nothing', async () => {
    const admin = await openAdminPort();
    admin.rooms.state = null;
    admin.rooms.measured = null;
    const shown = await read<ShownRollout>(admin, shop);
    assert.deepEqual([shown.revision, shown.state, shown.actions, shown.checks[0]?.verdict], [0, null, [], null]);
  });

  test('that is paused says what it goes back to and who paused it', async () => {
    const admin = await openAdminPort();
    await admin.act('pause');
    const { state } = await read<ShownRollout>(admin, shop);
    assert.deepEqual(state?.paused, { resumeTo: 'progressing', cause: 'person', check: null });
    assert.equal(state?.by, 'loopback');
  });

  test('has its revision as the ETag', async () => {
    const { ask, act } = await openAdminPort();
    assert.equal((await ask(shop)).header('etag'), '"1"');
    await act('pause');
    assert.equal((await ask(shop)).header('etag'), '"2"');
  });

  test('that there is not is 404; while nobody knows, 503', async () => {
    const { ask, rooms } = await openAdminPort();
    const reply = await ask('/api/v1/rollouts/nobody');
    assert.deepEqual([reply.status, reply.json()['code']], [404, 'unknown-rollout']);
    rooms.isKnown = false;
    for (const path of [shop, '/api/v1/rollouts', `${shop}/history`]) {
      const unknown = await ask(path);
      assert.deepEqual([unknown.status, unknown.json()['code']], [503, 'store-unavailable'], path);
    }
  });

  test('is in the list of all', async () => {
    const admin = await openAdminPort();
    const { rollouts } = await read<{ rollouts: ShownRollout[] }>(admin, '/api/v1/rollouts');
    assert.deepEqual(
      rollouts.map(({ name }) => name),
      ['shop'],
    );
  });
});

suite('the history', () => {
  test('has the audit log with who did what and why, and figures over time', async () => {
    const admin = await openAdminPort();
    await admin.act('pause', { json: { reason: 'lunch' } });
    const { entries, figures } = await read<ShownHistory>(admin, `${shop}/history`);
    assert.deepEqual(
      entries.map(({ id, kind, by, note }) => [id, kind, by, note]),
      [
        [1, 'begin', 'policy', null],
        [2, 'pause', 'loopback', 'lunch'],
      ],
    );
    const [{ users, percent, harm, requests, errorRatio, requestsPerSecond } = figures[0]!] = figures;
    assert.deepEqual([users, percent, harm], [7, 1, { 'error-rate': 0.5 }]);
    assert.deepEqual([requests, errorRatio, requestsPerSecond], [120, 0.025, 2]);
  });

  test('can be paged back', async () => {
    const admin = await openAdminPort();
    for (const action of ['pause', 'resume', 'pause']) await admin.act(action);
    const last = await read<ShownHistory>(admin, `${shop}/history?limit=2`);
    const before = await read<ShownHistory>(admin, `${shop}/history?limit=2&before=${last.entries[0]?.id}`);
    assert.deepEqual(
      [before, last].map(({ entries }) => entries.map(({ id }) => id)),
      [
        [1, 2],
        [3, 4],
      ],
    );
  });

  test('is asked from a time or for a duration, and chooses a resolution that fits', async () => {
    const admin = await openAdminPort();
    const finest = async (since: string) => {
      const { figures, sinceMs } = await read<ShownHistory>(admin, `${shop}/history?since=${since}`);
      return [figures[0]?.resolution, Math.round((Date.now() - sinceMs) / 60_000)];
    };
    assert.deepEqual(await finest('5m'), ['second', 5]);
    assert.deepEqual(await finest('6h'), ['minute', 360]);
    assert.deepEqual(await finest('7d'), ['hour', 10_080]);
    const { sinceMs } = await read<ShownHistory>(admin, `${shop}/history?since=2026-11-22T10:00:00Z`);
    assert.equal(sinceMs, Date.UTC(2026, 10, 22, 10));
    const asked = await read<ShownHistory>(admin, `${shop}/history?since=7d&resolution=second`);
    assert.equal(asked.figures[0]?.resolution, 'second');
  });

  for (const query of [
    'since=yesterday',
    'since=',
    'since=-1h',
    'limit=0',
    'limit=1001',
    'limit=x',
    'resolution=day',
    'sinze=1h',
    'since=1h&since=2h',
    'before=0',
  ]) {
    test(`refuses ${query}`, async () => {
      const { ask } = await openAdminPort();
      const reply = await ask(`${shop}/history?${query}`);
      assert.deepEqual([reply.status, reply.json()['code']], [400, 'invalid-input']);
    });
  }

  test('is 503 while the store cannot be read', async () => {
    const { ask, rooms } = await openAdminPort();
    rooms.isStoreWell = false;
    const reply = await ask(`${shop}/history`);
    assert.deepEqual([reply.status, reply.json()['detail']], [503, 'the disk is full']);
  });
});

suite('decide', () => {
  test('tells the version and every step, for a user put where the rollout looks first', async () => {
    const admin = await openAdminPort();
    const { decision, steps, userIn } = await read<ShownExplanation>(admin, '/api/v1/decide?user=u-1&path=/item/7?a=b');
    assert.deepEqual(
      [decision?.rollout, decision?.reason, decision?.user, decision?.bucket],
      ['shop', 'split', 'u-1', 6108],
    );
    assert.equal(userIn, 'header:x-user-id');
    assert.deepEqual(
      steps.map(({ step }) => step),
      ['match', 'identity', 'rolled-back', 'rules', 'bucket'],
    );
  });

  test('of a named rollout does not ask whether it takes the request', async () => {
    const admin = await openAdminPort();
    const { steps } = await read<ShownExplanation>(
      admin,
      `/api/v1/decide?rollout=shop&header.X-User-Id=${encodeURIComponent('李雷')}`,
    );
    assert.deepEqual(steps[0], {
      step: 'identity',
      tried: [{ source: 'header:x-user-id', value: '李雷', outcome: 'used' }],
      user: '李雷',
    });
  });

  test('of a rollout that there is not is 404', async () => {
    const { ask } = await openAdminPort();
    assert.equal((await ask('/api/v1/decide?rollout=nobody')).status, 404);
  });

  for (const query of [
    'usr=u-1',
    'header.=x',
    'headers.a=b',
    'path=item',
    'ip=localhost',
    'method=G%20T',
    'user=a&user=b',
    'header.a=1&header.a=2',
  ]) {
    test(`refuses ${query}`, async () => {
      const { ask } = await openAdminPort();
      const reply = await ask(`/api/v1/decide?${query}`);
      assert.deepEqual([reply.status, reply.json()['code']], [400, 'invalid-input']);
    });
  }
});

suite('the policy', () => {
  test('is shown as the rest of the gateway gives it', async () => {
    const { ask, rooms } = await openAdminPort();
    const reply = await ask('/api/v1/policy');
    assert.deepEqual(reply.json(), {
      loadedMs: 5,
      fingerprint: 'f1',
      document: rooms.document,
      lastRejected: null,
    });
  });

  test('that was refused is shown with what is wrong with it', async () => {
    const { ask, rooms } = await openAdminPort();
    const problem = { file: 'a.yaml', line: 1, column: 2, path: 'listen', problem: 'is wrong', hint: null };
    rooms.lastRejected = { atMs: 7, problems: [problem] };
    assert.deepEqual((await ask('/api/v1/policy')).json()['lastRejected'], { atMs: 7, problems: [problem] });
  });
});

test('the admin port itself says where everything is, and all of that is there', async () => {
  const { ask } = await openAdminPort();
  const { title, ...paths } = (await ask('/')).json();
  assert.equal(title, 'the admin port of graygate');
  assert.deepEqual(Object.keys(paths), ['rollouts', 'openapi', 'metrics', 'liveness', 'readiness']);
  for (const path of Object.values(paths)) assert.equal((await ask(String(path))).status, 200, String(path));
});

suite('health', () => {
  test('is alive, and ready until it is not', async () => {
    const { ask, rooms } = await openAdminPort();
    assert.deepEqual((await ask('/healthz')).json(), { status: 'ok' });
    assert.deepEqual((await ask('/readyz')).json(), { status: 'ready' });
    rooms.readiness = { ready: false, reasons: ['draining'], degraded: ['store: the disk is full'] };
    const reply = await ask('/readyz?verbose');
    assert.equal(reply.status, 503);
    assert.deepEqual(reply.json(), {
      status: 'not ready',
      reasons: ['draining'],
      degraded: ['store: the disk is full'],
    });
  });

  test('metrics come in the form that was asked for', async () => {
    const { ask } = await openAdminPort();
    const reply = await ask('/metrics', { headers: { accept: 'application/openmetrics-text' } });
    assert.equal(reply.header('content-type'), 'text/plain; version=0.0.4');
    assert.equal(reply.body, 'up 1 # application/openmetrics-text\n');
  });
});
