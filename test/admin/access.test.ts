// Who is let in and who is not, over real connections; one test a rule, each with the request that breaks only that rule.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { connectRaw } from './raw-connection.ts';
import { type AdminPort, openAdminPort } from './admin-port.ts';
import { bearer, ingestToken, operatorToken, threeTokens, viewerToken } from './fake-parts.ts';

const path = '/api/v1/rollouts';

async function openWithTokens(): Promise<AdminPort> {
  const admin = await openAdminPort();
  admin.rooms.tokens = threeTokens;
  return admin;
}

function guess({ ask }: AdminPort, token: string) {
  return ask(path, { headers: { authorization: `Bearer ${token}` } });
}

suite('without tokens', () => {
  test('this machine reads and acts, and the audit log says loopback', async () => {
    const { ask, act, rooms } = await openAdminPort();
    assert.equal((await ask(path)).status, 200);
    assert.equal((await act('pause')).status, 200);
    assert.deepEqual(rooms.acted, ['pause by loopback: because']);
  });

  test('another machine neither reads nor acts', async () => {
    const { instance, rooms } = await openAdminPort();
    const headers = { host: 'localhost', 'content-type': 'application/json' };
    for (const remoteAddress of ['192.0.2.7', '::ffff:192.0.2.7', '2001:db8::7', '1271.0.0.1']) {
      const read = await instance.inject({ url: path, remoteAddress, headers });
      const url = `${path}/shop/rollback`;
      const write = await instance.inject({ method: 'POST', url, remoteAddress, headers, payload: { reason: 'x' } });
      assert.deepEqual([read.json().code, write.json().code], ['loopback-only', 'loopback-only'], remoteAddress);
    }
    assert.deepEqual(rooms.acted, []);
  });

  test('this machine is known in every form that its address has', async () => {
    const { instance } = await openAdminPort();
    for (const remoteAddress of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) {
      const { statusCode } = await instance.inject({ url: path, remoteAddress, headers: { host: 'localhost' } });
      assert.equal(statusCode, 200, remoteAddress);
    }
  });

  test('another machine is not this one because a header says so', async () => {
    const { instance } = await openAdminPort();
    const headers = { host: 'localhost', 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' };
    const { statusCode } = await instance.inject({ url: path, remoteAddress: '192.0.2.7', headers });
    assert.equal(statusCode, 403);
  });

  for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-forwarded-host']) {
    test(`who comes through a proxy on this machine is not this machine: ${header}`, async () => {
      const { ask } = await openAdminPort();
      const reply = await ask(path, { headers: { [header]: '203.0.113.9' } });
      assert.deepEqual([reply.status, reply.json()['code']], [403, 'loopback-only']);
    });
  }

  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '[::2]',
    '',
    '127.0.0.1:80:80',
  ]) {
    test(`a name that was bent to this machine is refused: "${host}"`, async () => {
      const { ask, act } = await openAdminPort();
      for (const reply of [await ask(path, { headers: { host } }), await act('pause', { headers: { host } })]) {
        assert.deepEqual([reply.status, reply.json()['code']], [421, 'foreign-host']);
      }
    });
  }

  for (const host of ['localhost', 'LOCALHOST:9090', '127.0.0.1', '[::1]:9090']) {
    test(`this machine's own names are taken: ${host}`, async () => {
      const { ask } = await openAdminPort();
      assert.equal((await ask(path, { headers: { host } })).status, 200);
    });
  }
});

suite('with tokens', () => {
  test('this machine needs one too', async () => {
    const { ask } = await openWithTokens();
    const reply = await ask(path);
    assert.deepEqual([reply.status, reply.json()['code']], [401, 'token-required']);
    assert.equal(reply.header('www-authenticate'), 'Bearer realm="graygate"');
  });

  test('every call of the API needs one', async () => {
    const { ask, act, instance } = await openWithTokens();
    const paths = [path, `${path}/shop`, `${path}/shop/history`, '/api/v1/decide', '/api/v1/policy', '/api/v1/stream'];
    for (const each of [...paths, '/api/openapi.json']) assert.equal((await ask(each)).status, 401, each);
    assert.equal((await act('rollback')).status, 401);
    assert.equal(instance.hasRoute({ method: 'GET', url: '/api/v1/stream' }), true);
  });

  test('health, metrics and where everything is need none', async () => {
    const { ask } = await openWithTokens();
    const headers = { host: 'gateway.internal' };
    for (const each of ['/', '/healthz', '/readyz', '/metrics'])
      assert.equal((await ask(each, { headers })).status, 200);
  });

  test('a viewer looks and does not act', async () => {
    const { ask, act, rooms } = await openWithTokens();
    const headers = { authorization: bearer(viewerToken) };
    assert.equal((await ask(path, { headers })).status, 200);
    const reply = await act('rollback', { headers });
    assert.deepEqual([reply.status, reply.json()['code']], [403, 'not-allowed']);
    assert.deepEqual(rooms.acted, []);
  });

  test('an operator looks and acts under the name of the token, which may hold any letter', async () => {
    const { ask, act, rooms } = await openWithTokens();
    const headers = { authorization: bearer(operatorToken) };
    assert.equal((await ask(path, { headers })).status, 200);
    assert.equal((await act('rollback', { headers })).status, 200);
    assert.deepEqual(rooms.acted, ['rollback by ops: because']);
  });

  test('a token for events neither looks nor acts', async () => {
    const { ask, act } = await openWithTokens();
    const headers = { authorization: bearer(ingestToken) };
    assert.deepEqual([(await ask(path, { headers })).status, (await act('pause', { headers })).status], [403, 403]);
  });

  test('with a token another machine may ask, under any name', async () => {
    const { instance, rooms } = await openWithTokens();
    const headers = { host: 'ops.example.com', authorization: bearer(viewerToken), 'x-forwarded-for': '203.0.113.9' };
    const { statusCode } = await instance.inject({ url: path, remoteAddress: '192.0.2.7', headers });
    assert.equal(statusCode, 200);
    assert.deepEqual(rooms.failures, []);
  });

  const wrong = {
    'another token': 'Bearer nobody-knows-this-one',
    'a part of a token': bearer(viewerToken.slice(0, -1)),
    'a token and more': bearer(`${viewerToken}x`),
    'the scheme Basic': `Basic ${Buffer.from(`x:${viewerToken}`).toString('base64')}`,
    'no scheme': viewerToken,
    'no token': 'Bearer ',
    'two tokens': `${bearer(viewerToken)} ${viewerToken}`,
  };
  for (const [what, authorization] of Object.entries(wrong)) {
    test(`${what} is not a token`, async () => {
      const { ask } = await openWithTokens();
      const reply = await ask(path, { headers: { authorization } });
      assert.deepEqual([reply.status, reply.json()['code']], [401, 'token-required']);
      assert.equal(reply.body.includes(viewerToken), false);
    });
  }

  test('the word Bearer may be written in any case', async () => {
    const { ask } = await openWithTokens();
    assert.equal((await ask(path, { headers: { authorization: `bearer ${viewerToken}` } })).status, 200);
  });

  test('a reload changes who is let in at once, over the same connection port', async () => {
    const { ask, rooms } = await openWithTokens();
    const headers = { authorization: bearer(viewerToken) };
    assert.equal((await ask(path, { headers })).status, 200);
    rooms.tokens = [{ name: 'screen', role: 'viewer', token: 'another-one-altogether' }];
    assert.equal((await ask(path, { headers })).status, 401);
    assert.equal((await ask(path, { headers: { authorization: 'Bearer another-one-altogether' } })).status, 200);
  });
});

suite('guessing', () => {
  test('after ten different wrong tokens an address has to wait before it may be wrong again; the log says so once', async () => {
    const admin = await openWithTokens();
    for (let i = 0; i < 10; i += 1) assert.equal((await guess(admin, `wrong-${i}`)).status, 401);
    for (let i = 10; i < 20; i += 1) {
      const reply = await guess(admin, `wrong-${i}`);
      assert.deepEqual([reply.status, reply.json()['code']], [429, 'too-many-failures']);
      assert.match(reply.header('retry-after') ?? '', /^[1-6]$/);
    }
    assert.deepEqual(admin.rooms.guessers, ['127.0.0.1']);
  });

  test('keeps out nobody who has the right token, not even from the same address', async () => {
    const admin = await openWithTokens();
    for (let i = 0; i < 30; i += 1) await guess(admin, `wrong-${i}`);
    assert.equal((await guess(admin, viewerToken)).status, 200);
    const act = await admin.ask(`${path}/shop/rollback`, {
      method: 'POST',
      headers: { authorization: bearer(operatorToken) },
      json: { reason: 'an emergency' },
    });
    assert.equal(act.status, 200);
    assert.equal((await guess(admin, 'still-wrong')).status, 429);
    assert.equal((await admin.ask(path)).status, 401, 'no token is no guess');
  });

  test('from one address does not make another wait', async () => {
    const admin = await openWithTokens();
    for (let i = 0; i < 11; i += 1) await guess(admin, `wrong-${i}`);
    const headers = { authorization: 'Bearer wrong' };
    const { statusCode } = await admin.instance.inject({ url: path, remoteAddress: '192.0.2.7', headers });
    assert.equal(statusCode, 401);
  });

  test('one wrong token again and again locks nobody out', async () => {
    const admin = await openWithTokens();
    for (let i = 0; i < 30; i += 1) assert.equal((await guess(admin, 'an-old-token')).status, 401);
    assert.equal((await guess(admin, viewerToken)).status, 200);
  });

  test('right tokens are never counted', async () => {
    const admin = await openWithTokens();
    for (let i = 0; i < 30; i += 1) assert.equal((await guess(admin, viewerToken)).status, 200);
  });

  test('forged links count as guesses, and good ones act all the same', async () => {
    const admin = await openAdminPort();
    const link = { id: 'l1', rollout: 'shop', action: 'rollback', revision: null, by: 'x', expiresMs: 9e12 } as const;
    admin.rooms.links.set('good', { ok: true, link });
    for (let i = 0; i < 10; i += 1) assert.equal((await admin.ask(`/api/v1/links/forged-${i}`)).status, 404);
    const reply = await admin.ask('/api/v1/links/forged-again');
    assert.equal(reply.status, 429);
    assert.match(reply.header('retry-after') ?? '', /^[1-6]$/);
    assert.equal((await admin.ask('/api/v1/links/good')).status, 200);
  });
});

suite('pages of other sites', () => {
  for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1', 'file://', 'chrome-extension://abc']) {
    test(`a write from ${origin} is refused`, async () => {
      const { act, rooms } = await openAdminPort();
      const reply = await act('rollback', { headers: { origin } });
      assert.deepEqual([reply.status, reply.json()['code']], [403, 'foreign-origin']);
      assert.deepEqual(rooms.acted, []);
    });
  }

  test('a foreign page is refused with a token too, and when it reads', async () => {
    const { ask } = await openWithTokens();
    const headers = { authorization: bearer(operatorToken), origin: 'https://evil.example' };
    assert.equal((await ask(path, { headers })).status, 403);
  });

  test('a page of the admin port itself may act', async () => {
    const { act, port } = await openAdminPort();
    assert.equal((await act('pause', { headers: { origin: `http://127.0.0.1:${port}` } })).status, 200);
  });

  test('a page under the address that the policy names may act', async () => {
    const { act, rooms } = await openAdminPort();
    rooms.origins = ['https://ops.example.com'];
    assert.equal((await act('pause', { headers: { origin: 'https://ops.example.com' } })).status, 200);
    assert.equal((await act('resume', { headers: { origin: 'http://ops.example.com' } })).status, 403);
  });

  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/jsonx',
    '',
  ]) {
    test(`a write as "${type}" is refused: a form can send that from anywhere`, async () => {
      const { act, rooms } = await openAdminPort();
      const reply = await act('rollback', { headers: { 'content-type': type } });
      assert.deepEqual([reply.status, reply.json()['code']], [415, 'unsupported-media-type']);
      assert.deepEqual(rooms.acted, []);
    });
  }

  test('no answer lets another site read it', async () => {
    const { ask } = await openAdminPort();
    const reply = await ask(path, { method: 'OPTIONS', headers: { origin: 'https://evil.example' } });
    assert.equal(reply.status, 405);
    assert.equal(reply.header('access-control-allow-origin'), undefined);
  });
});

suite('every answer', () => {
  test('says that it is neither to be framed, guessed at, kept nor shared', async () => {
    const { ask } = await openAdminPort();
    for (const each of ['/healthz', path, '/nothing', '/api/v1/links/forged']) {
      const reply = await ask(each);
      assert.equal(reply.header('x-content-type-options'), 'nosniff', each);
      assert.equal(reply.header('x-frame-options'), 'DENY', each);
      assert.equal(reply.header('cache-control'), 'no-store', each);
      assert.match(reply.header('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/, each);
      assert.equal(reply.header('cross-origin-resource-policy'), 'same-origin', each);
    }
  });

  test('another method than a path takes is 405 with the ones it takes', async () => {
    const { ask } = await openAdminPort();
    const rows = [
      ['DELETE', path, 'GET, HEAD'],
      ['PUT', `${path}/shop/pause`, 'POST'],
      ['GET', `${path}/shop/pause`, 'POST'],
      ['POST', '/metrics', 'GET, HEAD'],
      ['PATCH', '/api/v1/links/x', 'GET, HEAD, POST'],
    ] as const;
    for (const [method, url, allow] of rows) {
      const reply = await ask(url, { method });
      assert.deepEqual([reply.status, reply.header('allow')], [405, allow], `${method} ${url}`);
      assert.equal(reply.json()['code'], 'method-not-allowed');
    }
  });

  test('HEAD is GET without the body', async () => {
    const { ask } = await openAdminPort();
    for (const each of ['/healthz', path, `${path}/shop`, '/api/v1/stream']) {
      const reply = await ask(each, { method: 'HEAD' });
      assert.deepEqual([reply.status, reply.body], [200, ''], each);
    }
  });

  test('what is no request at all gets a problem document, and the connection is closed', async () => {
    const { port } = await openAdminPort();
    const answer = await connectRaw(port, 'NOT HTTP\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json/);
    assert.match(answer, /"code":"malformed-request"/);
  });

  test('headers that are too long get 431, a path that cannot be decoded 400', async () => {
    const { port } = await openAdminPort();
    const long = await connectRaw(port, `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(40_000)}\r\n\r\n`);
    assert.match(long, /^HTTP\/1\.1 431 .*"code":"headers-too-large"/s);
    const bad = await connectRaw(
      port,
      'GET /api/v1/rollouts/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    assert.match(bad, /^HTTP\/1\.1 400 .*"code":"malformed-request"/s);
  });
});
