// Which links act: those that a gateway on this store has signed, to targets that the policy still sends links.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ActionLink, signActionLink } from '../../src/controller/action-link.ts';
import { targetKey } from '../../src/controller/alert-target.ts';
import { type KeyStore, LinkSigner } from '../../src/controller/link-signer.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { withDirectory } from '../store/places.ts';
import { targetOf } from './entries.ts';

const secret = 'known to the receiver';
const target = targetOf('https://hooks.example.com/T/B/key', { secret, approveUrl: 'https://graygate.example.com' });
const link: ActionLink = {
  id: 'shop-7-abc-rollback',
  target: targetKey(target),
  rollout: 'shop',
  action: 'rollback',
  release: '2',
  revision: 7,
  expiresMs: 1_000,
  by: 'link sent to hooks.example.com',
};
const good = { ok: true, link } as const;
const forged = { ok: false, reason: 'forged' } as const;
const unavailable = { code: 'store-unavailable', status: 503 };

/** A store that is there when a test says so. */
function openKeyStore(): KeyStore & { isDown: boolean } {
  const kept = new Map<string, Awaited<ReturnType<KeyStore['putFirst']>>>();
  return {
    isDown: false,
    async putFirst(name, document) {
      if (this.isDown) throw new Error('down');
      if (!kept.has(name)) kept.set(name, document);
      return kept.get(name)!;
    },
  };
}

async function settledOn(store: KeyStore): Promise<LinkSigner> {
  const signer = new LinkSigner(store);
  await signer.settle();
  return signer;
}

test('a link acts until it expires, and no secret of a receiver signs one', async () => {
  const signer = await settledOn(openKeyStore());
  assert.deepEqual(signer.read(signer.sign(link), [target], 999), good);
  assert.deepEqual(signer.read(signer.sign(link), [target], 1_000), { ok: false, reason: 'expired' });
  for (const key of [secret, '', 'link-key', target.url]) {
    assert.deepEqual(signer.read(signActionLink(link, key), [target], 0), forged, key);
  }
});

test('a link to a target that the policy sends none any more is forged', async () => {
  const signer = await settledOn(openKeyStore());
  const others = [targetOf(target.url), { ...target, format: 'slack' as const }, { ...target, url: `${target.url}2` }];
  assert.deepEqual(signer.read(signer.sign(link), others, 0), forged);
  assert.deepEqual(signer.read(signer.sign(link), [], 0), forged);
  assert.deepEqual(signer.read(signer.sign(link), [...others, { ...target, secret: 'another' }], 0), good);
});

test('gateways on one store read the links of each other, at a time and one after the other', async () => {
  await withDirectory(async (directory) => {
    const open = () => openSqliteStore({ path: join(directory, 'graygate.db') });
    const stores = [open(), open()];
    const [one, two] = (await Promise.all(stores.map(({ values }) => settledOn(values)))) as [LinkSigner, LinkSigner];
    const token = one.sign(link);
    assert.equal(two.sign(link), token);
    assert.deepEqual(two.read(token, [target], 0), good);
    for (const store of stores) await store.close();
    const later = open();
    assert.deepEqual((await settledOn(later.values)).read(token, [target], 0), good);
    await later.close();
  });
});

test('gateways on two stores do not read the links of each other', async () => {
  const [one, two] = [await settledOn(openKeyStore()), await settledOn(openKeyStore())];
  assert.deepEqual(two.read(one.sign(link), [target], 0), forged);
});

test('without a store links of this process act, and of others nobody can say', async () => {
  const store = openKeyStore();
  const before = (await settledOn(store)).sign(link);
  store.isDown = true;
  const signer = await settledOn(store);
  const own = signer.sign(link);
  assert.deepEqual(signer.read(own, [target], 0), good);
  assert.throws(() => signer.read(before, [target], 0), unavailable);
  store.isDown = false;
  await signer.settle();
  assert.deepEqual(signer.read(own, [target], 0), good);
  assert.deepEqual(signer.read(before, [target], 0), good);
  assert.equal(signer.sign(link), before);
  assert.deepEqual(signer.read('no link', [target], 0), forged);
});
