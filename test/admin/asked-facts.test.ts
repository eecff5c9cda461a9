import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type AskedRequest, factsOf } from '../../src/admin/asked-facts.ts';
import { placeUser } from '../../src/rollout/asked-user.ts';

const plain: AskedRequest = {
  method: 'GET',
  host: 'localhost',
  path: '/',
  ip: '127.0.0.1',
  header: [],
  cookie: [],
  query: [],
  claim: [],
};
const named = (name: string, value: string) => ({ name, value });
const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

suite('the facts of a request that is asked about', () => {
  test('are those of the same request on the wire: bytes, a plain host, a normal path', () => {
    const facts = factsOf({
      ...plain,
      host: 'Shop.Example.COM.:8080',
      path: '/a/../%69tem?x=1',
      ip: '::ffff:10.0.0.1',
    });
    assert.deepEqual(
      [facts.host, facts.path, facts.ip, facts.method],
      ['shop.example.com', '/item', '10.0.0.1', 'GET'],
    );
    assert.equal(facts.header('host'), 'Shop.Example.COM.:8080');
  });

  test('hold names and values as bytes', () => {
    const facts = factsOf({ ...plain, header: [named('x-city', '深圳')], cookie: [named('ключ', '李')] });
    assert.equal(facts.header('x-city'), bytes('深圳'));
    assert.equal(facts.cookie(bytes('ключ')), bytes('李'));
    assert.equal(facts.cookie('other'), undefined);
  });

  test('take the query of the path, the first of a name, and before it what is named', () => {
    const facts = factsOf({ ...plain, path: '/x?a=1&a=2&b=%E6%9D%8E&c', query: [named('d', '4')] });
    assert.deepEqual(
      ['a', 'b', 'c', 'd', 'e'].map((name) => facts.query(name)),
      ['1', bytes('李'), '', '4', undefined],
    );
    assert.equal(factsOf({ ...plain, path: '/x?a=1', query: [named('a', '9')] }).query('a'), '9');
  });

  test('give an anonymous user one random ID', () => {
    const facts = factsOf(plain);
    assert.match(facts.freshUserId(), /^[0-9a-f]{32}$/);
    assert.equal(facts.freshUserId(), facts.freshUserId());
    assert.notEqual(facts.freshUserId(), factsOf(plain).freshUserId());
  });
});

suite('a user', () => {
  test('is put where each kind of source looks', () => {
    const header = factsOf(placeUser(plain, { kind: 'header', name: 'x-user-id' }, '李'));
    assert.equal(header.header('x-user-id'), bytes('李'));
    const cookie = factsOf(placeUser(plain, { kind: 'cookie', name: bytes('ключ') }, 'u'));
    assert.equal(cookie.cookie(bytes('ключ')), 'u');
    assert.equal(factsOf(placeUser(plain, { kind: 'query', name: 'uid' }, 'u')).query('uid'), 'u');
    assert.equal(factsOf(placeUser(plain, { kind: 'jwt', claim: 'sub' }, 'u')).claim('sub'), 'u');
    assert.equal(factsOf(placeUser(plain, { kind: 'ip' }, '10.0.0.9')).ip, '10.0.0.9');
  });

  test('takes the place of what was there', () => {
    const asked = { ...plain, header: [named('x-user-id', 'other')], claim: [named('sub', 'other')] };
    assert.equal(factsOf(placeUser(asked, { kind: 'header', name: 'x-user-id' }, 'u')).header('x-user-id'), 'u');
    assert.equal(factsOf(placeUser(asked, { kind: 'jwt', claim: 'sub' }, 'u')).claim('sub'), 'u');
    const inPath = { ...plain, path: '/?uid=other' };
    assert.equal(factsOf(placeUser(inPath, { kind: 'query', name: 'uid' }, 'u')).query('uid'), 'u');
  });
});
