// Which rollouts need the claims of tokens, and which believe the same ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readsClaims, takesSameTokens } from '../../src/rollout/claims.ts';
import type { Rollout } from '../../src/rollout/policy.ts';

const byHeader: Rollout['user']['from'][number] = { kind: 'header', name: 'x-user-id' };
const isAdmin: Rollout['exclude'][number][number] = {
  on: 'jwt',
  name: 'role',
  matches: { kind: 'exists', expected: true },
};

function userWith(changes: Partial<Rollout['user']>): Rollout['user'] {
  return { from: [byHeader], anonymous: 'baseline', jwt: null, ...changes };
}

test('claims are read for who a user is, and for whom to exclude', () => {
  assert.equal(readsClaims({ user: userWith({}), exclude: [] }), false);
  assert.equal(readsClaims({ user: userWith({ from: [byHeader, { kind: 'jwt', claim: 'sub' }] }), exclude: [] }), true);
  assert.equal(readsClaims({ user: userWith({}), exclude: [[isAdmin]] }), true);
});

test('two rollouts take the same tokens when they verify them alike', () => {
  const verified = (secret: string) => ({
    user: userWith({ jwt: { key: { kind: 'secret', secret }, issuer: null, audience: null } }),
  });
  assert.equal(takesSameTokens(verified('a'), verified('a')), true);
  assert.equal(takesSameTokens(verified('a'), verified('b')), false);
  assert.equal(takesSameTokens(verified('a'), { user: userWith({}) }), false);
});
