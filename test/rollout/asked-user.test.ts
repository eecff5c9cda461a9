import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type AskedSources, nameOfSource, placeUser } from '../../src/rollout/asked-user.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const other = { name: 'uid', value: 'other' };
const placed = { name: 'uid', value: 'u' };
const asked: AskedSources = { ip: '127.0.0.1', header: [other], cookie: [other], query: [other], claim: [other] };

suite('the user of a request that is asked about', () => {
  test('goes before what a header, a cookie or the query says', () => {
    for (const kind of ['header', 'cookie', 'query'] as const) {
      assert.deepEqual(placeUser(asked, { kind, name: 'uid' }, 'u'), { ...asked, [kind]: [placed, other] });
    }
  });

  test('goes behind the other claims, of which the last counts', () => {
    assert.deepEqual(placeUser(asked, { kind: 'jwt', claim: 'uid' }, 'u'), { ...asked, claim: [other, placed] });
  });

  test('is the address where that is who a user is', () => {
    assert.deepEqual(placeUser(asked, { kind: 'ip' }, '10.0.0.9'), { ...asked, ip: '10.0.0.9' });
  });

  test('has a name of a source that people can read', () => {
    const { cookie } = placeUser(asked, { kind: 'cookie', name: bytes('ключ') }, 'u');
    assert.deepEqual(cookie[0], { name: 'ключ', value: 'u' });
  });

  test('keeps what else is asked', () => {
    assert.equal(placeUser({ ...asked, method: 'PUT' }, { kind: 'ip' }, '10.0.0.9').method, 'PUT');
  });
});

test('a source is named as a policy writes it', () => {
  const sources = [{ kind: 'ip' }, { kind: 'jwt', claim: 'sub' }, { kind: 'cookie', name: bytes('ключ') }] as const;
  assert.deepEqual(sources.map(nameOfSource), ['ip', 'jwt:sub', 'cookie:ключ']);
});
