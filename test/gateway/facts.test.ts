// What is read off a request: target, host, address, cookies, query and claims, as the bytes that they are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientAddress } from '../../src/gateway/client-address.ts';
import { hostOf, RequestFacts, splitTarget } from '../../src/gateway/facts.ts';
import type { RequestLike } from '../../src/gateway/raw-headers.ts';
import { headersOf } from '../support/http-client.ts';
import { noAddresses } from '../support/policies.ts';

const requestOf = (more: Partial<RequestLike> = {}): RequestLike => ({
  method: 'GET',
  url: '/',
  rawHeaders: ['Host', 'shop.test'],
  remoteAddress: '192.0.2.1',
  scheme: 'http',
  ...more,
});
const factsOf = (more: Partial<RequestLike> = {}): RequestFacts => new RequestFacts(requestOf(more), noAddresses);

test('a target is split without changing a byte', () => {
  const rows = {
    '/': [null, '/', ''],
    '/a?b?c': [null, '/a', '?b?c'],
    '//a/../b?': [null, '//a/../b', '?'],
    'http://h:1/a?b': ['h:1', '/a', '?b'],
    'http://h?b': ['h', '/', '?b'],
    'HTTPS://h': ['h', '/', ''],
    '*': [null, '*', ''],
  } as const;
  for (const [url, [authority, path, query]] of Object.entries(rows)) {
    assert.deepEqual(splitTarget(url), { authority, path, query }, url);
  }
});

test('a host is compared in lower case, without port and final dot', () => {
  const rows = { 'Shop.Test': 'shop.test', 'a:80': 'a', 'a.:80': 'a', '[::1]:80': '[::1]', '[::1]': '[::1]', '': '' };
  for (const [authority, host] of Object.entries(rows)) assert.equal(hostOf(authority), host, authority);
});

test('a path is matched in its normal form, and forwarded in its own', () => {
  const facts = factsOf({ url: '/a/../%69tem%2fx//y?q' });
  assert.equal(facts.path, '/item%2Fx/y');
  assert.equal(facts.target.path, '/a/../%69tem%2fx//y');
});

test('one user is one string, by header, cookie, query and claim', () => {
  const name = '张三';
  const bytes = Buffer.from(name).toString('latin1');
  const encoded = encodeURIComponent(name);
  const rawHeaders = headersOf('Host: a', `X-User: ${bytes}`, `Cookie: x=1; uid=${encoded}; uid=other`);
  const facts = factsOf({ rawHeaders, url: `/?x=1&uid=${encoded}&uid=other` });
  facts.claims = { sub: name, level: 3, admin: true, roles: ['x'], none: null };
  assert.deepEqual([facts.header('x-user'), facts.cookie('uid'), facts.query('uid')], [bytes, bytes, bytes]);
  assert.equal(facts.claim('sub'), bytes);
  assert.deepEqual(
    ['level', 'admin', 'roles', 'none', 'absent', 'toString'].map((claim) => facts.claim(claim)),
    ['3', 'true', undefined, undefined, undefined, undefined],
  );
});

test('query parameters are percent-decoded, plus signs and broken escapes stay as they are', () => {
  const facts = factsOf({ url: '/?a=1+2&b=%zz&c&=d&%65=f&g=%FF&a=3' });
  const rows = { a: '1+2', b: '%zz', c: '', '': 'd', e: 'f', g: '\xff', h: undefined };
  for (const [name, value] of Object.entries(rows)) assert.equal(facts.query(name), value, name);
  assert.equal(factsOf().query('a'), undefined);
});

test('an ID that is made up is the same however often it is asked for, and another for another request', () => {
  const facts = factsOf();
  assert.match(facts.freshUserId(), /^[0-9a-f]{32}$/);
  assert.equal(facts.freshUserId(), facts.freshUserId());
  assert.notEqual(facts.freshUserId(), factsOf().freshUserId());
});

test('the client is the nearest address that is not a trusted proxy', () => {
  const proxies = { has: (ip: string) => ip.startsWith('10.') || ip === '::1' };
  const rows: [string, string, string][] = [
    ['192.0.2.1', 'X-Forwarded-For: 198.51.100.1', '192.0.2.1'],
    ['10.0.0.1', 'X-Forwarded-For: 198.51.100.1', '198.51.100.1'],
    ['::ffff:10.0.0.1', 'X-Forwarded-For: 1.1.1.1, 198.51.100.1, 10.0.0.2', '198.51.100.1'],
    ['10.0.0.1', 'X-Forwarded-For: 10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', 'X-Forwarded-For: 198.51.100.1, unknown, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', 'X-Forwarded-For: 198.51.100.1:4711', '198.51.100.1'],
    ['::1', 'X-Forwarded-For: [2001:db8::1]:80', '2001:db8::1'],
    ['10.0.0.1', 'X-Forwarded-For: 010.0.0.9', '10.0.0.1'],
    ['10.0.0.1', 'Forwarded: for="[2001:db8::1]:80";proto=https, for=10.0.0.2', '2001:db8::1'],
    ['10.0.0.1', 'Forwarded: proto=https;For=198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', 'Forwarded: for=_hidden', '10.0.0.1'],
    ['10.0.0.1', 'X-Other: 1', '10.0.0.1'],
  ];
  for (const [remoteAddress, line, expected] of rows) {
    assert.equal(clientAddress(requestOf({ remoteAddress, rawHeaders: headersOf(line) }), proxies), expected, line);
  }
  const twice = headersOf('X-Forwarded-For: 198.51.100.1', 'x-forwarded-for: 10.0.0.2');
  assert.equal(clientAddress(requestOf({ remoteAddress: '10.0.0.1', rawHeaders: twice }), proxies), '198.51.100.1');
});
