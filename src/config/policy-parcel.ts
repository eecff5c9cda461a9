// A policy that was loaded and judged here, packed so that another process builds the very same one without reading a file.
import { buildPolicy, type NamedFiles } from './build-policy.ts';
import { policySchema } from './policy-schema.ts';
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
export function packPolicy(tree: unknown, files: Omit<NamedFiles, 'usersOf'>, users: UserLists): PackedPolicy {
  const served = Object.entries(tree as object).filter(([key]) => !controlKeys.has(key));
  return { parcel: { tree: Object.fromEntries(served), files }, lists: users.lists };
}

/** The policy in a parcel, but for what was left out of it. Throws for a parcel that this release cannot read. */
export function unpackPolicy({ tree, files }: PolicyParcel, usersOf: UsersOf): Policy {
  return buildPolicy(policySchema.parse(tree), { ...files, usersOf });
}
