// Pages and their assets through the gateway: the cookie of a page, the version of an asset, and the second try after a 404.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway, type TestContext } from '../support/gateways.ts';
import { headersOf, send, valuesOf } from '../support/http-client.ts';
import { sumOf } from '../support/metric-samples.ts';
import { shopPolicy } from '../support/policies.ts';
import { type RecordingAnswer, startRecordingUpstream } from '../support/recording-upstream.ts';

/** A version as bundlers make them: a page, and one script whose name only this version knows. */
function appOf(version: string): RecordingAnswer {
  return (request, response) =>
    request.on('end', () => {
      const isPage = request.url === '/';
      const isFound = isPage || request.url === `/assets/app.${version}.js`;
      const type = isPage ? 'text/html; charset=utf-8' : 'text/javascript';
      response.writeHead(isFound ? 200 : 404, ['content-type', type]);
      response.end(isFound ? `${version} ${request.url}` : 'not found');
    });
}

async function startShop(context: TestContext, { canaryPercent = 0, assets = ['/assets'] as string[] | null } = {}) {
  const stable = await startRecordingUpstream(context, appOf('stable'));
  const canary = await startRecordingUpstream(context, appOf('canary'));
  const rollout = { split: { canary: canaryPercent }, skew: assets === null ? null : { assets } };
  const running = await startGateway(context, shopPolicy({ stable: stable.origin, canary: canary.origin, rollout }));
  const ask = (path: string, ...headers: string[]) =>
    send({ port: running.port, path, headers: headersOf('X-User-Id: u1', ...headers) });
  return { ...running, stable, canary, ask };
}

test('a page says in a cookie which version it is of, once', async (context) => {
  const { ask } = await startShop(context);
  const cookie = 'x-graygate-version=stable';
  assert.deepEqual(valuesOf((await ask('/')).rawHeaders, 'set-cookie'), [`${cookie}; Path=/; HttpOnly; SameSite=Lax`]);
  assert.deepEqual(valuesOf((await ask('/', `Cookie: ${cookie}`)).rawHeaders, 'set-cookie'), []);
  assert.equal(valuesOf((await ask('/', 'Cookie: x-graygate-version=canary')).rawHeaders, 'set-cookie').length, 1);
  assert.deepEqual(valuesOf((await ask('/assets/app.stable.js')).rawHeaders, 'set-cookie'), []);
});

test('an asset follows its page, by cookie or address, without a second try', async (context) => {
  const { ask, stable } = await startShop(context);
  const byCookie = await ask('/assets/app.canary.js', 'Cookie: x-graygate-version=canary');
  assert.deepEqual([byCookie.status, byCookie.body], [200, 'canary /assets/app.canary.js']);
  const byAddress = await ask('/assets/app.canary.js', 'Referer: http://shop.test/?x-graygate-version=canary');
  assert.equal(byAddress.body, 'canary /assets/app.canary.js');
  assert.equal(stable.requests.length, 0);
});

test('an asset that one version does not have is asked of the other one, once, and counts once', async (context) => {
  const { ask, stable, canary, metrics, outcomes } = await startShop(context);
  const found = await ask('/assets/app.canary.js');
  assert.deepEqual([found.status, found.body], [200, 'canary /assets/app.canary.js']);
  assert.equal(found.header('x-graygate-version'), 'canary');
  const missing = await ask('/assets/none.js');
  assert.deepEqual([missing.status, missing.body], [404, 'not found']);
  assert.deepEqual([stable.requests.length, canary.requests.length], [2, 2]);
  assert.equal(await sumOf(metrics, 'graygate_requests_total'), 2);
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
  assert.equal(await sumOf(metrics, 'graygate_decisions_total', { reason: 'skew' }), 2);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    [200, 404],
  );
});

test('a candidate that does not have an asset leaves it to the baseline', async (context) => {
  const { ask } = await startShop(context, { canaryPercent: 100 });
  assert.equal((await ask('/assets/app.stable.js')).body, 'stable /assets/app.stable.js');
});

test('what is no asset is asked once, and without the key nothing happens', async (context) => {
  const { ask, canary } = await startShop(context);
  assert.equal((await ask('/api/none')).status, 404);
  const off = await startShop(context, { assets: null });
  assert.equal((await off.ask('/assets/app.canary.js', 'Cookie: x-graygate-version=canary')).status, 404);
  assert.deepEqual(valuesOf((await off.ask('/')).rawHeaders, 'set-cookie'), []);
  assert.equal(canary.requests.length + off.canary.requests.length, 0);
});

test('while the candidate is dead its assets are those of the baseline', async (context) => {
  const { ask, canary } = await startShop(context);
  await canary.kill();
  assert.equal((await ask('/assets/app.stable.js', 'Cookie: x-graygate-version=canary')).status, 200);
});
