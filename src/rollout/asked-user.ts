// A request that somebody asks about names its user once; here that ID goes where a rollout would look for it.
import { readable } from './condition-text.ts';
import type { IdentitySource } from './policy.ts';

export type NamedValue = { readonly name: string; readonly value: string };

/** Where a user may be named, as typed, in Unicode. Of one name the first counts, but of claims the last. */
export type AskedSources = {
  readonly ip: string;
  readonly header: readonly NamedValue[];
  readonly cookie: readonly NamedValue[];
  readonly query: readonly NamedValue[];
  readonly claim: readonly NamedValue[];
};

/** The same request with the user's ID where `source` looks for it, in place of whatever else is there. */
export function placeUser<Asked extends AskedSources>(asked: Asked, source: IdentitySource, user: string): Asked {
  if (source.kind === 'ip') return { ...asked, ip: user };
  if (source.kind === 'jwt') return { ...asked, claim: [...asked.claim, { name: source.claim, value: user }] };
  return { ...asked, [source.kind]: [{ name: readable(source.name), value: user }, ...asked[source.kind]] };
}

/** A source as a policy writes it: `header:x-user-id`. */
export function nameOfSource(source: IdentitySource): string {
  if (source.kind === 'ip') return 'ip';
  return source.kind === 'jwt' ? `jwt:${source.claim}` : `${source.kind}:${readable(source.name)}`;
}
