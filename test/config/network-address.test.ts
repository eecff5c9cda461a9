import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  isEveryInterface,
  isLoopback,
  parseHostPattern,
  parseListenAddress,
  parseServerOrigin,
} from '../../src/config/network-address.ts';

suite('addresses to listen on', () => {
  const good: [string, string, number][] = [
    ['0.0.0.0:8080', '0.0.0.0', 8080],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['[::]:8080', '::', 8080],
    ['[::1]:65535', '::1', 65_535],
    ['localhost:9090', 'localhost', 9090],
  ];
  for (const [written, host, port] of good) {
    test(`${written} is taken`, () =>
      assert.deepEqual(parseListenAddress(written), { ok: true, value: { host, port } }));
  }
  for (const written of [
    8080,
    '8080',
    ':8080',
    '0.0.0.0',
    '0.0.0.0:',
    '::1:80',
    '[::1]',
    '[127.0.0.1]:80',
    '0.0.0.0:65536',
    '256.0.0.1:80',
    '010.0.0.1:80',
    'http://a:80',
    'a b:80',
    '*:80',
    '-a:80',
    '0.0.0.0:80/',
  ]) {
    test(`${written} is refused`, () => assert.equal(parseListenAddress(written).ok, false));
  }
});

suite('servers', () => {
  const good: [string, string][] = [
    ['http://10.0.0.1:3000', 'http://10.0.0.1:3000'],
    ['http://10.0.0.1:3000/', 'http://10.0.0.1:3000'],
    ['HTTP://Shop.Example.com:80', 'http://shop.example.com'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['HTTPS://Shop.Example.com:443', 'https://shop.example.com'],
    ['https://10.0.0.1:80', 'https://10.0.0.1:80'],
    ['http://shop_api.internal', 'http://shop_api.internal'],
    ['http://例子.example:81', 'http://xn--fsqu00a.example:81'],
  ];
  for (const [written, origin] of good) {
    test(`${written} is ${origin}`, () => assert.deepEqual(parseServerOrigin(written), { ok: true, value: origin }));
  }
  for (const written of [
    'https:10.0.0.1',
    'https://10.0.0.1/app',
    '10.0.0.1:3000',
    'http:10.0.0.1',
    'http:/10.0.0.1',
    'http:\\\\10.0.0.1',
    'http://10.0.0.1:3000/app',
    'http://10.0.0.1?x',
    'http://10.0.0.1#',
    'http://10.0.0.1/?',
    'http://u:p@10.0.0.1',
    'http://u@10.0.0.1',
    'http://',
    'http://:80',
    'http://10.0.0.1:0',
    'http://10.0.0.1:65536',
    'http://10.0.0.1:',
    'http://010.1.1.1',
    'http://0x7f.1',
    'http://127.1',
    'http://2130706433',
    'http://1.2.3.4.5',
    'http://a b',
    'http://a\tb',
    'http://[::1',
    'http://[zz]',
    'http://[10.0.0.1]',
    'http://a..b',
    'http://*.example.com',
    'ftp://10.0.0.1',
    '',
  ]) {
    test(`${JSON.stringify(written)} is refused`, () => assert.equal(parseServerOrigin(written).ok, false));
  }

  test('what may hold a password is not to be shown', () => {
    for (const written of ['http://u:p@10.0.0.1', 'https://u:p@10.0.0.1']) {
      const reading = parseServerOrigin(written);
      assert.equal(reading.ok ? null : reading.hidesValue, true);
    }
  });
});

suite('hosts of a rollout', () => {
  const good: [string, object][] = [
    ['shop.example.com', { kind: 'exact', host: 'shop.example.com' }],
    ['Shop.Example.COM.', { kind: 'exact', host: 'shop.example.com' }],
    ['*.example.com', { kind: 'suffix', suffix: '.example.com' }],
    ['例子.com', { kind: 'exact', host: 'xn--fsqu00a.com' }],
    ['10.0.0.1', { kind: 'exact', host: '10.0.0.1' }],
    ['[::1]', { kind: 'exact', host: '[::1]' }],
    ['localhost', { kind: 'exact', host: 'localhost' }],
  ];
  for (const [written, pattern] of good) {
    test(`${written} is taken`, () => assert.deepEqual(parseHostPattern(written), { ok: true, value: pattern }));
  }
  for (const written of [
    '',
    '*',
    '*.',
    '.example.com',
    'a.*.com',
    'example.com:80',
    'http://a',
    'a/b',
    'a b',
    '*.10.0.0.1',
    '010.1.1.1',
    '::1',
    '[zz]',
    '*.[::1]',
    `${'a'.repeat(64)}.com`,
  ]) {
    test(`${JSON.stringify(written)} is refused`, () => assert.equal(parseHostPattern(written).ok, false));
  }
});

test('loopback and every interface are told apart', () => {
  assert.deepEqual(
    ['127.0.0.1', '127.8.9.1', '::1', 'localhost', '0.0.0.0', '10.0.0.1', '127.evil.com'].map(isLoopback),
    [true, true, true, true, false, false, false],
  );
  assert.deepEqual(['0.0.0.0', '::', '127.0.0.1'].map(isEveryInterface), [true, true, false]);
});
