// Whose events depend on what a token claims, and which rollouts believe the same tokens. Asked at load only.
import type { Rollout } from './policy.ts';

/** Whether a claim says whose an event of the rollout is, or that it counts for nothing. */
export function readsClaims({ user, exclude }: Pick<Rollout, 'user' | 'exclude'>): boolean {
  return user.from.some(({ kind }) => kind === 'jwt') || exclude.flat().some(({ on }) => on === 'jwt');
}

/** Claims are verified as the rollout that decides says: they name a user of another one only where both take the same tokens. */
export function takesSameTokens(one: Pick<Rollout, 'user'>, other: Pick<Rollout, 'user'>): boolean {
  return JSON.stringify(one.user.jwt) === JSON.stringify(other.user.jwt);
}
