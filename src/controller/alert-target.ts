// How targets of alerts are called where their addresses must not be told: in the store, in links.
import { createHash } from 'node:crypto';
import type { AlertTarget } from '../rollout/policy.ts';

/** Finds a target again in a policy that was loaded later, and tells nothing of it. */
export function targetKey({ url, format }: AlertTarget): string {
  return shortHash(`${format} ${url}`);
}

/** 64 bits of SHA-256 in hex. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
