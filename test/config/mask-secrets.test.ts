import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { maskSecrets } from '../../src/config/mask-secrets.ts';

suite('a policy without its secrets', () => {
  const rows: readonly [what: string, written: unknown, shown: unknown][] = [
    ['a token', { tokens: [{ name: 'ops', token: 'abc' }] }, { tokens: [{ name: 'ops', token: '***' }] }],
    ['a number as a token', { token: 12345 }, { token: '***' }],
    ['a secret', { jwt: { secret: 'abc', issuer: 'x' } }, { jwt: { secret: '***', issuer: 'x' } }],
    ['a reference', { token: '${TOKEN}' }, { token: '${TOKEN}' }],
    ['a reference with a default', { token: '${TOKEN:-abc}' }, { token: '***' }],
    ['a reference and more', { token: '${A}b' }, { token: '***' }],
    ['a webhook', { webhook: 'https://hooks.example.com/T0/B1/xyz?a=b' }, { webhook: 'https://hooks.example.com/***' }],
    ['a webhook of no form', { webhook: 'abc' }, { webhook: '***' }],
    ['a webhook by reference', { webhook: '${SLACK_URL}' }, { webhook: '${SLACK_URL}' }],
    ['a password in an address', { store: 'redis://u:p@ss@db:6379/0' }, { store: 'redis://***@db:6379/0' }],
    ['a password that is no part of an address', { store: 'redis://u:p/s?s@db' }, { store: 'redis://***@db' }],
    ['an address in a default', { store: '${S:-redis://u:p@db}' }, { store: '${S:-redis://***@db}' }],
    ['a query', { url: 'http://ci/smoke?key=abc' }, { url: 'http://ci/smoke?***' }],
    [
      'a header that rules ask for',
      { when: { header: { authorization: 'abc' } } },
      { when: { header: { authorization: '***' } } },
    ],
    [
      'a matcher of a secret header',
      { header: { 'x-api-key': { prefix: 'abc' }, 'x-session-token': ['a', 'b'] } },
      { header: { 'x-api-key': { prefix: '***' }, 'x-session-token': ['***', '***'] } },
    ],
    ['a key where the name of its file belongs', { key: '-----BEGIN PRIVATE KEY-----\nMII' }, { key: '***' }],
    ['nothing', { token: null }, { token: null }],
  ];
  for (const [what, written, shown] of rows) {
    test(`shows of ${what} only what is no secret`, () => assert.deepEqual(maskSecrets(written), shown));
  }

  test('keeps everything else as it is written', () => {
    const policy = {
      version: 1,
      listen: '0.0.0.0:8080',
      tls: { cert: 'cert.pem', key: 'key.pem' },
      rollouts: [
        {
          name: 'shop',
          match: { host: '*.example.com', path: '/item' },
          user: { from: ['header:x-user-id', 'cookie:session'] },
          versions: { stable: { servers: ['http://10.0.0.1:3000', { url: 'http://10.0.0.2:3000', weight: 2 }] } },
          rules: [
            { name: 'testers', when: { user: { file: 'testers.txt' }, header: { 'x-city': null } }, use: 'canary' },
          ],
          expose: true,
          analysis: { checks: [{ metric: 'prometheus', url: 'http://prom:9090', query: 'avg(cpu{v="{{version}}"})' }] },
        },
      ],
    };
    assert.deepEqual(maskSecrets(policy), policy);
  });

  test('is a copy', () => {
    const written = { token: 'abc' };
    maskSecrets(written);
    assert.deepEqual(written, { token: 'abc' });
  });
});
