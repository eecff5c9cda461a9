// Verifies bearer tokens. A token that is absent, expired, forged or unreadable gives no claims; never an error to the client.
import { createRemoteJWKSet, jwtVerify, type JWTVerifyOptions } from 'jose';
import type { JwtVerification } from '../rollout/policy.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** Claims at once where the token was verified before, else a promise of them; null for a token that does not count. */
export type TokenVerifier = (token: string) => Claims | null | Promise<Claims | null>;

/** Verified tokens kept, so that a signature is checked once a token, not once a request. */
const maxCachedCount = 10_000;
/** A token that failed is looked at again after this long: its key may have been rotated in. */
const rejectedForMs = 10_000;
/** Longer ones are not tokens that anybody issues. */
const maxTokenLength = 8_192;

type Cached = { readonly claims: Claims | null; readonly untilMs: number };

/** How long an unknown key must wait after the keys were fetched before they are fetched again. */
const keyFetchCooldownMs = 5_000;

/**
 * A verifier with its own cache; a JWKS is fetched when first needed, cached, and fetched anew for an unknown key, but not
 * twice within `cooldownMs`.
 */
export function createTokenVerifier(
  verification: JwtVerification,
  { cooldownMs = keyFetchCooldownMs }: { cooldownMs?: number } = {},
): TokenVerifier {
  const cache = new Map<string, Cached>();
  const verify = verifierOf(verification, cooldownMs);
  return (token) => {
    if (token.length > maxTokenLength) return null;
    const cached = cache.get(token);
    if (cached !== undefined && cached.untilMs > Date.now()) return cached.claims;
    return verify(token).then((claims) => {
      if (cache.size >= maxCachedCount) cache.delete(cache.keys().next().value!);
      cache.delete(token);
      cache.set(token, { claims, untilMs: keepUntilMs(claims) });
      return claims;
    });
  };
}

/** The token of an `Authorization: Bearer` header; null for any other. */
export function bearerTokenOf(authorization: string | undefined): string | null {
  return /^Bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1] ?? null;
}

function keepUntilMs(claims: Claims | null): number {
  if (claims === null) return Date.now() + rejectedForMs;
  return typeof claims['exp'] === 'number' ? claims['exp'] * 1_000 : Date.now() + 60_000;
}

function verifierOf(verification: JwtVerification, cooldownMs: number): (token: string) => Promise<Claims | null> {
  const options: JWTVerifyOptions = {
    ...(verification.issuer === null ? {} : { issuer: verification.issuer }),
    ...(verification.audience === null ? {} : { audience: verification.audience }),
  };
  const { key } = verification;
  if (key.kind === 'secret') {
    const secret = new TextEncoder().encode(key.secret);
    const symmetric = { ...options, algorithms: ['HS256', 'HS384', 'HS512'] };
    return (token) => claimsOrNull(jwtVerify(token, secret, symmetric));
  }
  // Symmetric algorithms are left out: a public key must never pass for a shared secret.
  const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
  const keys = createRemoteJWKSet(new URL(key.url), { timeoutDuration: 3_000, cooldownDuration: cooldownMs });
  return (token) => claimsOrNull(jwtVerify(token, keys, { ...options, algorithms }));
}

async function claimsOrNull(verifying: Promise<{ payload: Claims }>): Promise<Claims | null> {
  try {
    return (await verifying).payload;
  } catch {
    return null;
  }
}
