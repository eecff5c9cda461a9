// Who a request is: the identity chain, and the ID that graygate itself once issued. Says nothing about versions.
import type { Facts } from './facts.ts';
import type { ByteString, IdentitySource, UserIdentity } from './policy.ts';
import type { FactSource, Readings, SlotLayout } from './readings.ts';

/** The cookie in which graygate issues IDs to requests that have none. */
export const issuedCookie = 'graygate_uid';

/**
 * Bytes of the longest user ID that counts. A longer one is treated as absent, so that no client can make graygate hash and
 * remember kilobytes a request.
 */
export const maxUserBytes = 1_024;

export type IdentityChain = {
  readonly anonymous: UserIdentity['anonymous'];
  /** Slots of the sources, in order. */
  readonly slots: readonly number[];
  /** Slot of the issued cookie; null unless `anonymous` is `cookie`. */
  readonly issuedSlot: number | null;
  /** Slot of the client's address; null unless `anonymous` is `ip`. */
  readonly ipSlot: number | null;
};

/** Lays out the slots that a rollout's identity chain reads. */
export function compileIdentity(user: UserIdentity, layout: SlotLayout): IdentityChain {
  const slots = user.from.map((source) => layout.slotOf(factOf(source)));
  const issuedSlot = user.anonymous === 'cookie' ? layout.slotOf({ on: 'cookie', name: issuedCookie }) : null;
  const ipSlot = user.anonymous === 'ip' ? layout.slotOf({ on: 'ip' }) : null;
  return Object.freeze({ anonymous: user.anonymous, slots: Object.freeze(slots), issuedSlot, ipSlot });
}

function factOf(source: IdentitySource): FactSource {
  if (source.kind === 'ip') return { on: 'ip' };
  return source.kind === 'jwt' ? { on: 'jwt', name: source.claim } : { on: source.kind, name: source.name };
}

/** The first usable ID of the chain, else the issued cookie; null for an anonymous request. */
export function knownUser(chain: IdentityChain, readings: Readings): ByteString | null {
  for (const slot of chain.slots) {
    const value = readings.at(slot);
    if (isUsableId(value)) return value;
  }
  if (chain.issuedSlot === null) return null;
  const issued = readings.at(chain.issuedSlot);
  return isIssuedId(issued) ? issued : null;
}

/** What a request without an ID of its own is bucketed by, as `anonymous` says; null: it gets the baseline. */
export function givenId(chain: IdentityChain, readings: Readings, facts: Facts): ByteString | null {
  if (chain.anonymous === 'cookie') return facts.freshUserId();
  const ip = chain.ipSlot === null ? undefined : readings.at(chain.ipSlot);
  return isUsableId(ip) ? ip : null;
}

/** Present, not empty, not longer than `maxUserBytes`. */
export function isUsableId(value: ByteString | undefined): value is ByteString {
  return value !== undefined && value.length > 0 && value.length <= maxUserBytes;
}

/** Exactly the form that graygate issues: 128 bits as 32 lower-case hex digits; anything else in the cookie is not an ID. */
export function isIssuedId(value: ByteString | undefined): value is ByteString {
  return value !== undefined && /^[0-9a-f]{32}$/.test(value);
}
