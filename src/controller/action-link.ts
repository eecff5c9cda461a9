// Links that act for whoever holds one: signed with a key that only graygate has, valid for a while, for one action on one state.
// That each is used once only is the store's to see to, by its `id`.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a link allows. `revision`: of the state that it was sent about; in another one it does nothing. */
export type ActionLink = {
  /** The same link sent twice has the same one. */
  readonly id: string;
  /** Whom it was sent to, without telling the address. */
  readonly target: string;
  readonly rollout: string;
  readonly action: LinkedAction;
  readonly release: string;
  readonly revision: number;
  readonly expiresMs: number;
  /** Who acted, for the audit log. */
  readonly by: string;
};

export type LinkedAction = 'approve' | 'rollback';

export type LinkReading =
  | { readonly ok: true; readonly link: ActionLink }
  | { readonly ok: false; readonly reason: 'forged' | 'expired' };

/** Keeps a signature of something else by the same key from being taken for a link's. */
const purpose = 'graygate-action-link:';

/** A link's token: the claims as base64url, a dot, and their HMAC-SHA256 as base64url. Safe in a path. */
export function signActionLink(link: ActionLink, key: string): string {
  const claims = Buffer.from(JSON.stringify(link), 'utf8').toString('base64url');
  return `${claims}.${signatureOf(claims, key).toString('base64url')}`;
}

/** What a token allows, if one of the keys signed it. Every key is tried and compared in constant time. */
export function readActionLink(token: string, keys: readonly string[], nowMs: number): LinkReading {
  const [claims = '', signature = '', ...rest] = token.split('.');
  const given = Buffer.from(signature, 'base64url');
  let isSigned = false;
  for (const key of keys) {
    const expected = signatureOf(claims, key);
    const isSame = given.length === expected.length && timingSafeEqual(given, expected);
    isSigned ||= isSame;
  }
  if (!isSigned || rest.length > 0) return { ok: false, reason: 'forged' };
  const link: ActionLink = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'));
  return nowMs < link.expiresMs ? { ok: true, link } : { ok: false, reason: 'expired' };
}

function signatureOf(claims: string, key: string): Buffer {
  return createHmac('sha256', key).update(purpose).update(claims).digest();
}
