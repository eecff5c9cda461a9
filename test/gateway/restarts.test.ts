// Servers that die and come back under load: whose users notice, and whose do not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { startLoad } from '../support/load.ts';
import { sumOf } from '../support/metric-samples.ts';
import { shopPolicy } from '../support/policies.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

const rounds = 4;

test('users of a candidate that is killed and restarted keep getting answers', async (context) => {
  const stable = await startRecordingUpstream(context, 'stable');
  const canary = await startRecordingUpstream(context, 'canary');
  const { port, metrics } = await startGateway(context, shopPolicy({ stable: stable.origin, canary: canary.origin }));
  const load = startLoad(port, 8, (index) => ({ headers: ['x-user-id', `u-${index}`] }));
  const seen = (version: string): number => load.answers.filter((answer) => answer.version === version).length;
  for (let round = 0; round < rounds; round += 1) {
    const [before, fallen] = [seen('canary'), seen('stable')];
    await eventually('the canary answers', () => seen('canary') > before + 20);
    await canary.kill();
    await eventually('the baseline answers', () => seen('stable') > fallen + 20);
    await canary.start();
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.deepEqual(new Set(load.answers.map(({ status }) => status)), new Set([200]));
  await eventually(
    'they are counted',
    async () => (await sumOf(metrics, 'graygate_requests_total', { code: '200' })) === load.answers.length,
  );
  await eventually(
    'they are counted',
    async () => (await sumOf(metrics, 'graygate_fallbacks_total', { version: 'canary' })) === seen('stable'),
  );
});

test('idempotent requests to the baseline do not fail on connections that its restart left behind', async (context) => {
  const stable = await startRecordingUpstream(context, 'stable');
  const { port, metrics } = await startGateway(context, shopPolicy({ stable: stable.origin }));
  const methods = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'];
  // A body that was read is gone: only requests without one can be sent again.
  const load = startLoad(port, 8, (index) => ({ method: methods[index % methods.length]!, body: '' }));
  for (let round = 0; round < rounds; round += 1) {
    const before = load.answers.length;
    await eventually('answers come', () => load.answers.length > before + 40);
    await stable.restart();
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.deepEqual(new Set(load.answers.map(({ status }) => status)), new Set([200]));
  await eventually(
    'they are counted',
    async () => (await sumOf(metrics, 'graygate_requests_total', { code: '200' })) === load.answers.length,
  );
});

test('while the baseline is down its users get 502, and answers again once it is back', async (context) => {
  const stable = await startRecordingUpstream(context, 'stable');
  const { port, metrics } = await startGateway(context, shopPolicy({ stable: stable.origin }));
  const load = startLoad(port, 4, () => ({}));
  const seen = (status: number): number => load.answers.filter((answer) => answer.status === status).length;
  await eventually('answers', () => seen(200) > 20);
  await stable.kill();
  await eventually('refusals', () => seen(502) > 20);
  await stable.start();
  const answered = seen(200);
  await eventually('answers again', () => seen(200) > answered + 20);
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.equal(seen(200) + seen(502), load.answers.length);
  for (const status of [200, 502]) {
    await eventually(
      'they are counted',
      async () => (await sumOf(metrics, 'graygate_requests_total', { code: String(status) })) === seen(status),
    );
  }
});
