import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { failureSource, isLoopback, plainAddress } from '../../src/admin/peer.ts';
import { isLocalHost, isOwnOrigin } from '../../src/admin/same-site.ts';

suite('an address', () => {
  test('is this machine in every form of it, and nothing else is', () => {
    for (const own of ['127.0.0.1', '127.255.0.3', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1']) {
      assert.equal(isLoopback(own), true, own);
    }
    for (const other of [
      '',
      '10.0.0.1',
      '128.0.0.1',
      '127',
      '127.0.0.1.example',
      '::2',
      '::ffff:10.0.0.1',
      'fe80::1%lo',
      'localhost',
    ]) {
      assert.equal(isLoopback(other), false, other);
    }
  });

  test('is shown in its plain form', () => {
    assert.deepEqual(['::ffff:10.0.0.1', 'fe80::1%eth0', '10.0.0.1'].map(plainAddress), [
      '10.0.0.1',
      'fe80::1',
      '10.0.0.1',
    ]);
  });

  test('of IPv6 counts with its whole /64, however it is written', () => {
    const same = ['2001:db8:0:1::5', '2001:db8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1:0:0:0:9'];
    assert.deepEqual([...new Set(same.map(failureSource))], ['2001:db8:0:1']);
    assert.notEqual(failureSource('2001:db8:0:2::5'), failureSource('2001:db8:0:1::5'));
    assert.equal(failureSource('2001:db8::5'), '2001:db8:0:0');
    assert.equal(failureSource('::1'), '0:0:0:0');
    assert.equal(failureSource('::ffff:192.0.2.7'), '192.0.2.7');
  });
});

suite('a host', () => {
  test('names this machine only by its own names', () => {
    for (const own of [
      'localhost',
      'localhost:1',
      'LocalHost:65535',
      '127.0.0.1',
      '127.9.9.9:80',
      '[::1]',
      '[::1]:80',
    ]) {
      assert.equal(isLocalHost(own), true, own);
    }
    const others = [
      undefined,
      '',
      ':80',
      'localhost.',
      'localhost:',
      'localhost:x',
      '::1',
      '[::1',
      'xlocalhost',
      '[::2]',
      '127.0.0.1@evil',
    ];
    for (const other of others) assert.equal(isLocalHost(other), false, String(other));
  });
});

suite('an origin', () => {
  test('is the own one where scheme, name and port fit the host', () => {
    const own: [string, string][] = [
      ['http://a.example', 'a.example'],
      ['http://a.example', 'a.example:80'],
      ['https://a.example', 'a.example:443'],
      ['http://A.example:9090', 'a.example:9090'],
      ['http://[::1]:9090', '[::1]:9090'],
    ];
    for (const [origin, host] of own) assert.equal(isOwnOrigin(origin, host, []), true, origin);
    const foreign: [string, string | undefined][] = [
      ['http://a.example', 'b.example'],
      ['http://a.example:81', 'a.example'],
      ['http://a.example', undefined],
      ['http://undefined', 'a.example'],
      ['null', 'a.example'],
      ['', 'a.example'],
      ['ftp://a.example', 'a.example'],
      ['http://a.example.evil', 'a.example'],
    ];
    for (const [origin, host] of foreign) assert.equal(isOwnOrigin(origin, host, []), false, origin);
  });

  test('that is absent is no page at all', () => assert.equal(isOwnOrigin(undefined, 'a.example', []), true));

  test('that the policy names is taken under another host', () => {
    assert.equal(isOwnOrigin('https://ops.example', '10.0.0.1:9090', ['https://ops.example']), true);
    assert.equal(isOwnOrigin('https://ops.example.evil', '10.0.0.1:9090', ['https://ops.example']), false);
  });
});
