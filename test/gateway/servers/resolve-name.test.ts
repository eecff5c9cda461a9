// From names to addresses, with a real server of names.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createNameResolver, type NameSources } from '../../../src/gateway/servers/resolve-name.ts';
import { startDnsServer, type Zone } from '../../support/dns-server.ts';
import type { TestContext } from '../../support/gateways.ts';

const nobodyKnows: NameSources['lookUp'] = async () =>
  Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }));

async function resolverOver(context: TestContext, zone: Zone, lookUp = nobodyKnows) {
  const { resolver } = await startDnsServer(context, zone, 7);
  return createNameResolver({ dns: resolver, lookUp });
}

test('all addresses of a name, each once, with how long they hold', async (context) => {
  const resolver = await resolverOver(context, { 'shop.test': ['10.0.0.2', '10.0.0.1', '10.0.0.2'] });
  assert.deepEqual(await resolver.resolve('shop.test'), { addresses: ['10.0.0.1', '10.0.0.2'], ttlMs: 7_000 });
});

test('of a name with both families the IPv4 addresses', async (context) => {
  const resolver = await resolverOver(context, { 'shop.test': ['fd00:0:0:0:0:0:0:1', '10.0.0.1'] });
  assert.deepEqual((await resolver.resolve('shop.test')).addresses, ['10.0.0.1']);
});

test('of a name with none of them the IPv6 addresses', async (context) => {
  const resolver = await resolverOver(context, { 'shop.test': ['fd00:0:0:0:0:0:0:1'] });
  assert.deepEqual((await resolver.resolve('shop.test')).addresses, ['fd00::1']);
});

test('a name that DNS does not know may be known to the machine, which says nothing of time', async (context) => {
  const hosts = [
    { address: '::1', family: 6 },
    { address: '127.0.0.9', family: 4 },
  ];
  const resolver = await resolverOver(context, {}, async () => hosts);
  assert.deepEqual(await resolver.resolve('shop.local'), { addresses: ['127.0.0.9'], ttlMs: null });
});

test('the machine itself knows the names in its own file', async () => {
  const resolver = createNameResolver();
  assert.ok((await resolver.resolve('localhost')).addresses.length > 0);
});

suite('no address is a failure with its reason', () => {
  for (const [zone, code] of [
    ['missing', 'ENOTFOUND'],
    ['failing', 'ENOTFOUND'],
    ['silent', 'ETIMEOUT'],
  ] as const) {
    test(`${zone}: ${code}`, async (context) => {
      const resolver = await resolverOver(context, { 'shop.test': zone });
      await assert.rejects(resolver.resolve('shop.test'), { code });
    });
  }

  test('a name without addresses of either family', async (context) => {
    const resolver = await resolverOver(context, { 'shop.test': [] }, async () => []);
    await assert.rejects(resolver.resolve('shop.test'), { code: 'ENODATA' });
  });
});
