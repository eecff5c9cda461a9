// Signed links: looking changes nothing, the form acts once, and what went wrong is said on a page.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import type { LinkReading } from '../../src/admin/link-parts.ts';
import { type AdminPort, openAdminPort } from './admin-port.ts';
import { threeTokens } from './fake-parts.ts';

type Link = Extract<LinkReading, { ok: true }>['link'];

const path = '/api/v1/links/good';
const asForm = { 'content-type': 'application/x-www-form-urlencoded' };

async function openWithLink(
  more: Partial<Link> = {},
): Promise<AdminPort & { readonly press: (body?: string) => ReturnType<AdminPort['ask']> }> {
  const admin = await openAdminPort();
  const link = {
    id: 'l1',
    rollout: 'shop',
    action: 'rollback',
    revision: 1,
    by: 'link sent to chat',
    expiresMs: 9e12,
  } as const;
  admin.rooms.links.set('good', { ok: true, link: { ...link, ...more } });
  return { ...admin, press: (body = 'reason=') => admin.ask(path, { method: 'POST', headers: asForm, body }) };
}

suite('a link', () => {
  test('shows what it would do and where the rollout is, and looking at it changes nothing', async () => {
    const { ask, rooms } = await openWithLink();
    for (const method of ['GET', 'HEAD', 'GET']) assert.equal((await ask(path, { method })).status, 200);
    const { body } = await ask(path);
    assert.match(body, /<h1>Roll back shop\?<\/h1>/);
    assert.match(body, /release r1.*canary at 1 % \(progressing\)/s);
    assert.deepEqual([rooms.acted, rooms.used.size], [[], 0]);
  });

  test('acts when the form is sent, under the name of the link', async () => {
    const { press, rooms } = await openWithLink();
    const reply = await press(`reason=${encodeURIComponent('空 carts & more')}`);
    assert.equal(reply.status, 200);
    assert.match(reply.body, /Done: roll back.*rolled-back/s);
    assert.deepEqual(rooms.acted, ['rollback by link sent to chat: 空 carts & more']);
  });

  test('needs no reason and no token, and may be used under any name of the port', async () => {
    const { ask, rooms } = await openWithLink();
    rooms.tokens = threeTokens;
    const headers = { ...asForm, host: 'ops.example.com', origin: 'https://ops.example.com' };
    assert.equal((await ask(path, { method: 'POST', headers, body: '' })).status, 200);
    assert.deepEqual(rooms.acted, ['rollback by link sent to chat: by the link in the alert']);
  });

  test('works once', async () => {
    const { press, rooms } = await openWithLink({ action: 'pause', revision: null });
    assert.equal((await press()).status, 200);
    await rooms.parts.rollouts.act('shop', { action: 'resume', by: 'ops', reason: 'x', nowMs: 1, revision: null });
    const again = await press();
    assert.equal(again.status, 410);
    assert.match(again.body, /Nothing was changed: the link was used already/);
    assert.equal(rooms.acted.length, 2);
  });

  test('that two people press at the same time acts once', async () => {
    const { press, rooms } = await openWithLink({ revision: null });
    const replies = await Promise.all([press(), press()]);
    assert.deepEqual(
      replies.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 410],
    );
    assert.equal(rooms.acted.length, 1);
  });

  test('about a state that is over says so and is not used up', async () => {
    const { ask, act, press, rooms } = await openWithLink();
    await act('pause');
    for (const reply of [await ask(path), await press()]) {
      assert.equal(reply.status, 412);
      assert.match(reply.body, /the rollout is at revision 2 now, not at 1/);
    }
    assert.equal(rooms.used.size, 0);
  });

  for (const [reason, status, words] of [
    ['expired', 410, /the link has expired/],
    ['forged', 404, /the link is not one of graygate/],
  ] as const) {
    test(`that is ${reason} shows that, to look at and to press`, async () => {
      const { ask, press, rooms } = await openWithLink();
      rooms.links.set('good', { ok: false, reason });
      for (const reply of [await ask(path), await press()]) {
        assert.equal(reply.status, status);
        assert.match(reply.body, words);
        assert.equal(reply.header('content-type'), 'text/html; charset=utf-8');
      }
      assert.deepEqual(rooms.acted, []);
    });
  }

  test('that the phase does not allow says why', async () => {
    const { press } = await openWithLink({ action: 'approve' });
    const reply = await press();
    assert.equal(reply.status, 409);
    assert.match(reply.body, /cannot approve: the rollout is progressing/);
  });

  test('that goes forward waits for the store; a rollback does not', async () => {
    const forward = await openWithLink({ action: 'advance' });
    forward.rooms.isStoreWell = false;
    assert.equal((await forward.press()).status, 503);
    assert.deepEqual(forward.rooms.acted, []);
    const back = await openWithLink();
    back.rooms.isStoreWell = false;
    assert.equal((await back.press()).status, 200);
    assert.equal(back.rooms.state?.phase, 'rolled-back');
  });

  test('is not pressed by a page of another site, nor by anything but its form', async () => {
    const { ask, rooms } = await openWithLink();
    const foreign = await ask(path, {
      method: 'POST',
      headers: { ...asForm, origin: 'https://evil.example' },
      body: '',
    });
    assert.equal(foreign.status, 403);
    const json = await ask(path, { method: 'POST', json: {} });
    assert.equal(json.status, 415);
    const long = await ask(path, { method: 'POST', headers: asForm, body: `reason=${'a'.repeat(9_000)}` });
    assert.equal(long.status, 413);
    assert.deepEqual(rooms.acted, []);
  });

  test('may be as long as signatures are', async () => {
    const { ask, rooms } = await openWithLink();
    const token = `${'a'.repeat(900)}.${'b'.repeat(43)}`;
    rooms.links.set(token, rooms.links.get('good')!);
    assert.equal((await ask(`/api/v1/links/${token}`)).status, 200);
  });
});

suite('its page', () => {
  test('runs nothing, loads nothing, and shows text of others as text', async () => {
    const { ask, act, rooms } = await openWithLink({ revision: null });
    await act('pause', { json: { reason: `<script>alert('x')</script>&"` } });
    const reply = await ask(path);
    assert.equal(reply.body.includes('<script'), false);
    assert.match(reply.body, /&lt;script&gt;alert\(&#39;x&#39;\)&lt;\/script&gt;&amp;&quot;/);
    assert.equal(/(src|href|@import|url\()/.test(reply.body), false);
    assert.deepEqual(rooms.failures, []);
  });

  test('allows its own style and its own form only', async () => {
    const { ask } = await openWithLink();
    const reply = await ask(path);
    const style = /<style>([\s\S]*)<\/style>/.exec(reply.body)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
    assert.equal(reply.header('content-security-policy'), policy);
    assert.equal(reply.header('referrer-policy'), 'same-origin');
    assert.equal(reply.header('x-frame-options'), 'DENY');
  });
});
