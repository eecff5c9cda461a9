// A mistake in graygate itself costs one request, not the process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { shopPolicy } from '../support/policies.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

test('what nobody foresaw is a 500 that says nothing of the inside, for requests and upgrades', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const failures: unknown[] = [];
  let isBroken = true;
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }), {
    decided() {
      if (isBroken) throw new Error('the inside of graygate');
    },
    failed: (error) => failures.push(error),
  });
  const upgrade = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];
  for (const headers of [[], upgrade]) {
    const reply = await send({ port, headers });
    assert.deepEqual([reply.status, reply.header('connection')], [500, 'close']);
    assert.equal(reply.json()['type'], 'urn:graygate:error:internal');
    assert.doesNotMatch(reply.body, /inside|\.ts/);
  }
  isBroken = false;
  assert.equal((await send({ port })).status, 200);
  assert.deepEqual(failures.map(String), Array(2).fill('Error: the inside of graygate'));
  await eventually('the outcomes', () => outcomes.length >= 3);
  assert.deepEqual(
    outcomes.map(({ status, ending }) => `${status} ${ending}`),
    ['500 refused', '500 refused', '200 complete'],
  );
});
