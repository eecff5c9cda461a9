// Bearer tokens as the user's identity: only what was signed by the right key, for this audience, now, counts.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import { createTokenVerifier } from '../../src/gateway/tokens.ts';
import type { JwtVerification } from '../../src/rollout/policy.ts';
import { startGateway } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { startTokenIssuer } from '../support/token-issuer.ts';
import { eventually } from '../support/eventually.ts';
import { sumOf } from '../support/metric-samples.ts';

const secret = 'a secret of at least thirty-two bytes';
const bySecret: JwtVerification = { key: { kind: 'secret', secret }, issuer: 'shop', audience: 'web' };
const nowSeconds = Math.floor(Date.now() / 1_000);
const good = { sub: 'u-1', iss: 'shop', aud: 'web', exp: nowSeconds + 600 };

const sign = async (claims: object, alg = 'HS256', key = secret): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key));

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('the claim of a verified token is the user', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const user = { from: [{ kind: 'jwt' as const, claim: 'sub' }], anonymous: 'baseline' as const, jwt: bySecret };
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin, rollout: { user } }));
  const token = await sign({ ...good, sub: '张三' });
  const authorizations = [
    `Bearer ${token}`,
    `bearer  ${token}`,
    `Basic ${token}`,
    `Bearer ${token} x`,
    `Bearer ${token}x`,
  ];
  for (const authorization of authorizations) {
    assert.equal((await send({ port, headers: ['Authorization', authorization] })).status, 200);
    assert.equal(upstream.requests.at(-1)!.header('authorization'), authorization);
  }
  assert.equal((await send({ port })).status, 200);
  const bytes = Buffer.from('张三').toString('latin1');
  await eventually('the outcomes', () => outcomes.length >= 6);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.user),
    [bytes, bytes, null, null, null, null],
  );
  assert.deepEqual(outcomes.map(({ reason }) => reason).slice(1, 3), ['split', 'anonymous']);
});

test('a token by secret counts only as it should', async () => {
  const verify = createTokenVerifier(bySecret);
  const claimsOf = async (token: string): Promise<unknown> => (await verify(token))?.['sub'] ?? null;
  assert.equal(await claimsOf(await sign(good)), 'u-1');
  assert.equal(await claimsOf(await sign(good, 'HS512')), 'u-1');
  const rejected = {
    'another secret': await sign(good, 'HS256', `${secret}!`),
    'an expired one': await sign({ ...good, exp: nowSeconds - 1 }),
    'one for later': await sign({ ...good, nbf: nowSeconds + 600 }),
    'another issuer': await sign({ ...good, iss: 'else' }),
    'another audience': await sign({ ...good, aud: ['mobile'] }),
    'no audience': await sign({ sub: 'u-1', iss: 'shop', exp: good.exp }),
    'no signature': `${encode({ alg: 'none' })}.${encode(good)}.`,
    'none in capitals': `${encode({ alg: 'NONE' })}.${encode(good)}.x`,
    'a stripped signature': (await sign(good)).replace(/[^.]*$/, ''),
    'other claims': (await sign(good)).replace(/\.[^.]*\./, `.${encode({ ...good, sub: 'u-2' })}.`),
    'a critical extension': `${encode({ alg: 'HS256', crit: ['x'], x: 1 })}.${encode(good)}.x`,
    nonsense: 'x.y.z',
    'no token': 'x',
    'one that is too long': await sign({ ...good, pad: 'x'.repeat(9_000) }),
  };
  for (const [what, token] of Object.entries(rejected)) assert.equal(await claimsOf(token), null, what);
});

test('a verified token is verified once, and answered at once from then on, until it expires', async (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const verify = createTokenVerifier(bySecret);
  const token = await sign({ ...good, exp: Math.floor(Date.now() / 1_000) + 60 });
  const first = verify(token);
  assert.ok(first instanceof Promise);
  assert.equal((await first)?.['sub'], 'u-1');
  const second = verify(token);
  assert.ok(!(second instanceof Promise));
  assert.equal(second?.['sub'], 'u-1');
  context.mock.timers.tick(60_000);
  assert.equal(await verify(token), null);
});

test('a token by published keys counts only when it was signed by one of them', async (context) => {
  const issuer = await startTokenIssuer(context);
  const verify = createTokenVerifier({ key: { kind: 'jwks', url: issuer.url }, issuer: null, audience: null });
  const claimsOf = async (token: string): Promise<unknown> => (await verify(token))?.['sub'] ?? null;
  const token = await issuer.issue({ sub: 'u-1' });
  assert.equal(await claimsOf(token), 'u-1');
  const { kid, pem } = await issuer.publicKeyText();
  const forged = `${encode({ alg: 'HS256', kid })}.${encode({ ...good })}`;
  const confused = `${forged}.${createHmac('sha256', pem).update(forged).digest('base64url')}`;
  assert.equal(await claimsOf(confused), null);
  assert.equal(await claimsOf(`${encode({ alg: 'none', kid })}.${encode(good)}.`), null);
  assert.equal(await claimsOf(await issuer.issue({ sub: 'u-1', exp: nowSeconds - 10 })), null);
  const stranger = await startTokenIssuer(context);
  assert.equal(await claimsOf(await stranger.issue({ sub: 'u-1' })), null);
  assert.equal(issuer.fetchCount, 1, 'the keys are fetched once');
});

test('a key that is rotated in is found, of either kind', async (context) => {
  const issuer = await startTokenIssuer(context);
  const key = { kind: 'jwks' as const, url: issuer.url };
  // No time passes between two fetches here; a running gateway fetches an unknown key at most every few seconds.
  const verify = createTokenVerifier({ key, issuer: null, audience: null }, { cooldownMs: 0 });
  assert.equal((await verify(await issuer.issue({ sub: 'u-1' })))?.['sub'], 'u-1');
  const before = await issuer.issue({ sub: 'u-2' });
  await issuer.rotate('ES256');
  assert.equal((await verify(await issuer.issue({ sub: 'u-3' })))?.['sub'], 'u-3');
  assert.equal(await verify(before), null, 'a key that was rotated out does not count any more');
  assert.equal(issuer.fetchCount, 3);
});

test('users whose keys cannot be fetched are anonymous, not refused', async (context) => {
  const issuer = await startTokenIssuer(context);
  const token = await issuer.issue({ sub: 'u-1' });
  const upstream = await startRecordingUpstream(context);
  const jwt: JwtVerification = { key: { kind: 'jwks', url: 'http://127.0.0.1:1/keys' }, issuer: null, audience: null };
  const user = { from: [{ kind: 'jwt' as const, claim: 'sub' }], anonymous: 'cookie' as const, jwt };
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin, rollout: { user } }));
  const reply = await send({ port, headers: ['Authorization', `Bearer ${token}`] });
  assert.equal(reply.status, 200);
  assert.match(reply.header('set-cookie')!, /^graygate_uid=/);
  await eventually('the outcomes', () => outcomes.length >= 1);
  assert.equal(outcomes[0]!.reason, 'anonymous');
});

test('a client that leaves while its token is verified is counted once and forwarded nowhere', async (context) => {
  const issuer = await startTokenIssuer(context);
  const token = await issuer.issue({ sub: 'u-1' });
  const upstream = await startRecordingUpstream(context);
  // A server that never answers stands in for slow keys.
  const slow = await startRecordingUpstream(context, () => undefined);
  const jwt: JwtVerification = { key: { kind: 'jwks', url: `${slow.origin}/keys` }, issuer: null, audience: null };
  const user = { from: [{ kind: 'jwt' as const, claim: 'sub' }], anonymous: 'baseline' as const, jwt };
  const { port, outcomes, metrics } = await startGateway(
    context,
    shopPolicy({ stable: upstream.origin, rollout: { user } }),
  );
  const client = new RawClient(port);
  client.send(`GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  await eventually('the keys are asked for', () => slow.requests.length === 1);
  client.socket.resetAndDestroy();
  await eventually('the outcome', () => outcomes.length === 1);
  await slow.kill();
  const later = await send({ port, headers: ['Authorization', `Bearer ${token}`] });
  assert.equal(later.status, 200);
  assert.equal(upstream.requests.length, 1);
  await eventually('the outcomes', () => outcomes.length >= 2);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    [499, 200],
  );
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
});
