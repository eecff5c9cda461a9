import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partsOf, ReceivedLists } from '../../src/workers/user-list-parts.ts';

function passOn(users: ReadonlySet<string>): { users: ReadonlySet<string>; sizes: number[] } {
  const received = new ReceivedLists();
  const sizes: number[] = [];
  for (const part of partsOf({ name: 'a.txt', digest: 'd', users })) {
    sizes.push(part.length);
    received.add('d', structuredClone(part));
  }
  return { users: received.get('d'), sizes };
}

test('a list arrives as it was, in parts of a size that lets others through', () => {
  const users = new Set(Array.from({ length: 100_000 }, (_, index) => `user-${index}`));
  const { users: arrived, sizes } = passOn(users);
  assert.deepEqual(arrived, users);
  assert.ok(sizes.length > 1 && Math.max(...sizes) <= 2 ** 19);
});

test('bytes of any kind arrive', () => {
  const users = new Set(['\xe5\xbc\xa0', '\x00\xff', ' with spaces ']);
  assert.deepEqual(passOn(users).users, users);
});

test('an empty list arrives empty', () => {
  assert.deepEqual(passOn(new Set()).users, new Set());
});

test('lists that no policy names are forgotten', () => {
  const received = new ReceivedLists();
  received.add('a', Buffer.from('u-1'));
  received.add('b', Buffer.from('u-2'));
  received.keepOnly(new Set(['b']));
  assert.throws(() => received.get('a'), /expected the users of list a/);
  assert.deepEqual(received.get('b'), new Set(['u-2']));
});
