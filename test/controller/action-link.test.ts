import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { type ActionLink, readActionLink, signActionLink } from '../../src/controller/action-link.ts';

const link: ActionLink = {
  id: 'shop-7-abc-approve',
  target: 'abc',
  rollout: 'shop',
  action: 'approve',
  release: '2.4.0 灰度',
  revision: 7,
  expiresMs: 1_000,
  by: 'link sent to hooks.example.com',
};
const token = signActionLink(link, 'key');

test('a link says what it was signed for, whichever of the keys signed it', () => {
  assert.deepEqual(readActionLink(token, ['key'], 999), { ok: true, link });
  assert.deepEqual(readActionLink(token, ['other', 'key', 'third'], 0), { ok: true, link });
});

test('a token is safe in a path', () => {
  assert.match(token, /^[\w-]+\.[\w-]+$/);
});

test('a link is expired from its last millisecond on', () => {
  assert.deepEqual(readActionLink(token, ['key'], 1_000), { ok: false, reason: 'expired' });
});

test('a link of another key, or of none, is forged', () => {
  for (const keys of [['other'], [], ['Key'], ['']]) {
    assert.deepEqual(readActionLink(token, keys, 0), { ok: false, reason: 'forged' });
  }
});

test('a link that was changed in any character is forged, expired or not', () => {
  for (let at = 0; at < token.length; at += 1) {
    const other = token[at] === 'A' ? 'B' : 'A';
    const changed = token.slice(0, at) + other + token.slice(at + 1);
    // The last character of base64url may hold bits that say nothing.
    if (Buffer.from(changed.split('.')[1] ?? '', 'base64url').equals(Buffer.from(token.split('.')[1]!, 'base64url'))) {
      if (changed.split('.')[0] === token.split('.')[0]) continue;
    }
    assert.deepEqual(readActionLink(changed, ['key'], 5_000), { ok: false, reason: 'forged' }, `at ${at}`);
  }
});

test('what is no token is forged', () => {
  for (const text of ['', '.', '..', 'a.b', token.split('.')[0]!, `${token}.`, `${token}.x`, `.${token}`]) {
    assert.deepEqual(readActionLink(text, ['key'], 0), { ok: false, reason: 'forged' }, text);
  }
});

test('a signature that the key gave to something else does not make a link', () => {
  const claims = Buffer.from(JSON.stringify(link)).toString('base64url');
  const signature = createHmac('sha256', 'key').update(claims).digest('base64url');
  assert.deepEqual(readActionLink(`${claims}.${signature}`, ['key'], 0), { ok: false, reason: 'forged' });
});
