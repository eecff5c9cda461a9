// A policy that was loaded and judged here, packed so that another process builds the very same one without reading a file.
import { buildPolicy, type NamedFiles } from './build-policy.ts';
import { type PolicyDocument, policySchema } from './policy-schema.ts';
import type { UserList, UserLists } from './user-lists.ts';
import type { UsersOf } from './build-conditions.ts';
import type { Policy } from '../rollout/policy.ts';

/** What the structured clone algorithm can carry; lists of users, which may be long, are apart. */
export type PolicyParcel = {
  /** The policy as it was written, the environment filled in, without what only the control process needs. */
  readonly tree: unknown;
  readonly files: Omit<NamedFiles, 'usersOf'>;
};

/** A policy for another process. */
export type PackedPolicy = { readonly parcel: PolicyParcel; readonly lists: readonly UserList[] };

/** Keys that serving does not read, and that hold secrets. */
const controlKeys: ReadonlySet<string> = new Set(['admin', 'alerts', 'store']);

/** Packs a tree that has no problem. */
export function packPolicy(tree: unknown, files: Omit<NamedFiles, 'usersOf'>, { lists }: UserLists): PackedPolicy {
  const served = Object.entries(tree as object).filter(([key]) => !controlKeys.has(key));
  return { parcel: { tree: Object.fromEntries(served), files }, lists };
}

/** Who else serves by the same policy. */
export type Sharing = {
  readonly usersOf: UsersOf;
  /** Limits that hold for the gateway as a whole are divided by this. */
  readonly shareCount: number;
};

/**
 * The policy in a parcel, but for what was left out of it, and with its share of the limits. Throws for a parcel that this release
 * cannot read.
 */
export function unpackPolicy({ tree, files }: PolicyParcel, { usersOf, shareCount }: Sharing): Policy {
  return buildPolicy(shareLimits(policySchema.parse(tree), shareCount), { ...files, usersOf });
}

function shareLimits(document: PolicyDocument, shareCount: number): PolicyDocument {
  const shareOf = (limit: number): number => Math.ceil(limit / shareCount);
  const rollouts = document.rollouts.map((rollout) => ({
    ...rollout,
    versions: Object.fromEntries(
      Object.entries(rollout.versions).map(
        ([
          name,
          {
            limits: { maxRequests, maxPending },
            ...version
          },
        ]) => {
          const limits = { maxRequests: shareOf(maxRequests), maxPending: shareOf(maxPending) };
          return [name, { ...version, limits }];
        },
      ),
    ),
  }));
  const { connections, connectionsPerSecond } = document.limits;
  const limits = { connections: shareOf(connections), connectionsPerSecond: shareOf(connectionsPerSecond) };
  return { ...document, limits: { ...document.limits, ...limits }, rollouts };
}
