import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { ShopStore } from '../../../src/cli/demo/shop-data.ts';
import { startShop } from '../../../src/cli/demo/shop.ts';
import type { Shop, ShopOptions } from '../../../src/cli/demo/shop.ts';

const json = { 'content-type': 'application/json' };

test('the two versions show different pages, each with its release and without assets from elsewhere', async (t) => {
  const [old, fresh] = await Promise.all([
    open(t, { look: 'old', release: '1.8.2' }),
    open(t, { look: 'new', release: '2.0.0' }),
  ]);
  const oldPage = await (await fetch(old.url)).text();
  const newPage = await (await fetch(fresh.url)).text();
  assert.match(oldPage, /old version · 1\.8\.2[\s\S]+<table>/);
  assert.match(newPage, /new version · 2\.0\.0[\s\S]+<ul class="cards">/);
  for (const page of [oldPage, newPage]) assert.doesNotMatch(page, /https?:|src=|@import|url\(/);
});

test('the page shows the customer, and a hostile ID does not become markup', async (t) => {
  const shop = await open(t);
  const page = await (await fetch(shop.url, { headers: { 'x-user-id': '"><script>alert(1)</script>' } })).text();
  assert.ok(!page.includes('<script>alert'));
  assert.ok(page.includes('value="&#34;&#62;&#60;script&#62;alert(1)'));
});

test('a cart filled at the old version is ordered at the new one, and the amount is in a header', async (t) => {
  const store = new ShopStore();
  const [old, fresh] = await Promise.all([open(t, { store }), open(t, { look: 'new', store })]);
  const cookie = `uid=${encodeURIComponent('李雷')}`;
  const post = (url: string, body?: unknown) =>
    fetch(url, { method: 'POST', headers: { ...json, cookie }, body: JSON.stringify(body) ?? null });
  await post(`${old.url}/api/cart`, { product: 'jasmine' });
  const cart = await (await post(`${old.url}/api/cart`, { product: 'jasmine', quantity: 2 })).json();
  assert.deepEqual(cart, {
    shop: 'old',
    customer: '李雷',
    lines: [{ product: 'jasmine', quantity: 3 }],
    amount: '59.70',
  });
  const asBytes = Buffer.from('李雷', 'utf8').toString('latin1');
  const sameCart = await (await fetch(`${fresh.url}/api/cart`, { headers: { 'x-user-id': asBytes } })).json();
  assert.deepEqual(sameCart, { ...cart, shop: 'new' });

  const order = await post(`${fresh.url}/api/orders`);
  assert.equal(order.status, 201);
  assert.equal(order.headers.get('x-order-amount'), '59.70');
  assert.equal((await post(`${fresh.url}/api/orders`)).status, 409);
  const orders = await (await fetch(`${old.url}/api/orders`, { headers: { cookie } })).json();
  const placed = { id: 1, lines: [{ product: 'jasmine', quantity: 3 }], amount: '59.70' };
  assert.deepEqual(orders, { shop: 'old', orders: [placed] });
});

const answers: [what: string, method: string, path: string, body: string | null, status: number][] = [
  ['health', 'GET', '/healthz', null, 200],
  ['all products', 'GET', '/api/products', null, 200],
  ['one product', 'GET', '/api/products/longjing', null, 200],
  ['one product without a body', 'HEAD', '/api/products/longjing', null, 200],
  ['a product that is not sold', 'GET', '/api/products/coffee', null, 404],
  ['an unknown path', 'GET', '/nowhere', null, 404],
  ['a path that is no URL', 'GET', '//', null, 404],
  ['a method a path does not have', 'DELETE', '/api/cart', null, 404],
  ['a cart line for a product that is not sold', 'POST', '/api/cart', '{"product":"coffee"}', 400],
  ['a cart line with half a quantity', 'POST', '/api/cart', '{"product":"jasmine","quantity":0.5}', 400],
  ['a body that is not JSON', 'POST', '/api/orders', '{', 400],
  ['a body that is too large', 'POST', '/api/orders', ' '.repeat(16_385), 413],
  ['signing in as nobody', 'POST', '/sign-in', 'user=', 400],
];

for (const [what, method, path, body, status] of answers) {
  test(`${what}: ${method} ${path} is answered with ${status}`, async (t) => {
    const shop = await open(t);
    const answer = await fetch(`${shop.url}${path}?from=test`, { method, headers: json, body });
    assert.equal(answer.status, status);
    const text = await answer.text();
    if (method === 'HEAD') assert.equal(text, '');
    else assert.ok(JSON.parse(text));
    if (status >= 400) assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  });
}

test('signing in sets the ID as a percent-encoded cookie and goes back to the page', async (t) => {
  const shop = await open(t);
  const answer = await fetch(`${shop.url}/sign-in`, {
    method: 'POST',
    body: new URLSearchParams({ user: ' 李雷; Path=/x ' }),
    redirect: 'manual',
  });
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.get('location'), '/');
  const expected = `uid=${encodeURIComponent('李雷; Path=/x')}; Path=/; HttpOnly; SameSite=Lax`;
  assert.equal(answer.headers.get('set-cookie'), expected);
});

test('it can be made to fail and mended again while it runs; its health and the control path go on answering', async (t) => {
  const shop = await open(t, { behaviour: { errorsPercent: 100, latencyMs: 0 } });
  assert.equal((await fetch(shop.url)).status, 500);
  assert.equal((await fetch(`${shop.url}/healthz`)).status, 200);
  const control = `${shop.url}/demo/behaviour`;
  assert.deepEqual(await (await fetch(control)).json(), { errors: 100, latency: 0 });
  const mended = await fetch(control, { method: 'POST', headers: json, body: '{"latency":120}' });
  assert.deepEqual(await mended.json(), { errors: 0, latency: 120 });
  const startedAt = performance.now();
  assert.equal((await fetch(shop.url)).status, 200);
  assert.ok(performance.now() - startedAt >= 115);
});

const refusals: [who: string, headers: Record<string, string>, body: string, status: number][] = [
  ['a request through the gateway', { ...json, 'x-graygate-rollout': 'shop' }, '{"errors":50}', 403],
  ['a form from a foreign page', { 'content-type': 'text/plain' }, '{"errors":50}', 415],
  ['a behaviour that does not exist', json, '{"errors":500}', 400],
];

for (const [who, headers, body, status] of refusals) {
  test(`${who} cannot change the behaviour: ${status}`, async (t) => {
    const shop = await open(t);
    const control = `${shop.url}/demo/behaviour`;
    assert.equal((await fetch(control, { method: 'POST', headers, body })).status, status);
    assert.deepEqual(await (await fetch(control)).json(), { errors: 0, latency: 0 });
  });
}

test('the stock is told as server-sent events, the first at once', async (t) => {
  const shop = await open(t);
  const answer = await fetch(`${shop.url}/api/stock`);
  assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  const reader = answer.body!.getReader();
  const { value } = await reader.read();
  assert.match(
    Buffer.from(value).toString(),
    /^event: stock\ndata: \{"shop":"old","product":"longjing","left":\d+\}\n\n$/,
  );
  await reader.cancel();
});

for (const byteCount of [5, 125, 126, 65_535]) {
  test(`a WebSocket message of ${byteCount} bytes is echoed`, async (t) => {
    const socket = await connectSocket(t);
    const message = 'x'.repeat(byteCount);
    socket.send(message);
    const [echoed]: unknown[] = await once(socket, 'message');
    assert.equal(String(echoed), message);
  });
}

test('a WebSocket is answered to a ping, keeps binary messages binary, and closes with the client’s code', async (t) => {
  const socket = await connectSocket(t);
  socket.ping('here?');
  assert.equal(String((await once(socket, 'pong'))[0]), 'here?');
  socket.send(Buffer.from([0, 255, 128]));
  assert.deepEqual(await once(socket, 'message'), [Buffer.from([0, 255, 128]), true]);
  socket.close(4_001);
  assert.equal((await once(socket, 'close'))[0], 4_001);
});

test('a WebSocket message over 64 KiB is refused with 1009', async (t) => {
  const socket = await connectSocket(t);
  socket.send('x'.repeat(65_536));
  assert.equal((await once(socket, 'close'))[0], 1_009);
});

test('an upgrade to something else is answered with 400', async (t) => {
  const shop = await open(t);
  const socket = connect(shop.port, '127.0.0.1');
  socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  assert.match(answer, /^HTTP\/1\.1 400 /);
});

test('a port that is taken is not waited for: any free one is used', async (t) => {
  const other = createServer();
  await once(other.listen(0, '127.0.0.1'), 'listening');
  t.after(() => other.close());
  const address = other.address();
  assert.ok(typeof address === 'object' && address !== null);
  const shop = await open(t, { port: address.port });
  assert.notEqual(shop.port, address.port);
  assert.equal((await fetch(`${shop.url}/healthz`)).status, 200);
});

test('closing cuts streams and WebSockets and frees the port', async (t) => {
  const shop = await open(t);
  const socket = await connectSocket(t, shop);
  const stream = await fetch(`${shop.url}/api/stock`);
  const cut = assert.rejects(stream.text());
  const closed = once(socket, 'close');
  await shop.close();
  await Promise.all([cut, closed]);
  await assert.rejects(fetch(shop.url));
});

async function open(t: TestContext, options: Partial<ShopOptions> = {}): Promise<Shop> {
  const shop = await startShop({ look: 'old', release: '1.0.0', store: new ShopStore(), port: 0, ...options });
  let closing: Promise<void> | undefined;
  const closeOnce = () => (closing ??= shop.close());
  t.after(closeOnce);
  return { ...shop, close: closeOnce };
}

async function connectSocket(t: TestContext, at?: Shop): Promise<WebSocket> {
  const shop = at ?? (await open(t));
  const socket = new WebSocket(shop.url.replace('http', 'ws'));
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}
