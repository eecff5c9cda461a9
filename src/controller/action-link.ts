// Links that act for whoever holds one: signed with an alert target's secret, valid for a while, for one action on one state.
// That each is used once only is the store's to see to, by its `id`.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a link allows. `revision`: of the state that it was sent about; in another one it does nothing. */
export type ActionLink = {
  /** The same link sent twice has the same one. */
  readonly id: string;
  readonly rollout: string;
  readonly action: LinkedAction;
  readonly release: string;
  readonly revision: number;
  readonly expiresMs: number;
  /** Who acted, for the audit log. */
  readonly by: string;
};

export type LinkedAction = 'approve' | 'rollback';

const linkedActions: readonly string[] = ['approve', 'rollback'] satisfies LinkedAction[];

export type LinkReading =
  | { readonly ok: true; readonly link: ActionLink }
  | { readonly ok: false; readonly reason: 'forged' | 'expired' };

/** Keeps a signature of something else that the same secret signs from being taken for a link's. */
const purpose = 'graygate-action-link:';

/** A link's token: the claims as base64url, a dot, and their HMAC-SHA256 as base64url. Safe in a path. */
export function signActionLink(link: ActionLink, secret: string): string {
  const claims = Buffer.from(JSON.stringify(link), 'utf8').toString('base64url');
  return `${claims}.${signatureOf(claims, secret).toString('base64url')}`;
}

/**
 * What a token allows, if one of the secrets signed it. Every secret is tried and compared in constant time, so the time it
 * takes says nothing of a secret.
 */
export function readActionLink(token: string, secrets: readonly string[], nowMs: number): LinkReading {
  const [claims = '', signature = '', ...rest] = token.split('.');
  const given = Buffer.from(signature, 'base64url');
  let isSigned = false;
  for (const secret of secrets) {
    const expected = signatureOf(claims, secret);
    const isSame = given.length === expected.length && timingSafeEqual(given, expected);
    isSigned ||= isSame;
  }
  if (!isSigned || rest.length > 0) return { ok: false, reason: 'forged' };
  const link: ActionLink = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'));
  // Whoever receives links has the secret: no other action can be had by signing one.
  if (!linkedActions.includes(link.action)) return { ok: false, reason: 'forged' };
  return nowMs < link.expiresMs ? { ok: true, link } : { ok: false, reason: 'expired' };
}

function signatureOf(claims: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(purpose).update(claims).digest();
}
