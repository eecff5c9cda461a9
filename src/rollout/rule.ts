// Which requests a rollout takes, and which of them get a version by rule instead of by their bucket. Types only.

import type { ByteString, PercentByVersion, Version } from './policy.ts';

/** Which requests a rollout takes. Empty lists: every one. */
export type Match = {
  readonly hosts: readonly HostPattern[];
  /** Prefixes on segment borders, normalised, without a trailing slash; `''` is everything. */
  readonly paths: readonly ByteString[];
};

/** `suffix` starts with a dot: `.example.com` is written `*.example.com`. Lower case. */
export type HostPattern =
  | { readonly kind: 'exact'; readonly host: string }
  | { readonly kind: 'suffix'; readonly suffix: string };

/** All conditions must hold. `use` names a version; `split` asks the bucket with the rule's own percentages. */
export type Rule = {
  readonly name: string;
  readonly when: readonly Condition[];
  readonly then:
    | { readonly kind: 'use'; readonly version: Version }
    | { readonly kind: 'split'; readonly split: PercentByVersion };
};

export type Condition =
  | { readonly on: 'user' | 'method' | 'host'; readonly matches: Matcher }
  | { readonly on: 'header' | 'cookie' | 'query' | 'jwt'; readonly name: string; readonly matches: Matcher }
  | { readonly on: 'path'; readonly prefixes: readonly ByteString[] }
  | { readonly on: 'ip'; readonly within: IpSet };

export type Matcher =
  | { readonly kind: 'any-of'; readonly values: ReadonlySet<ByteString> }
  | { readonly kind: 'prefix' | 'suffix' | 'contains'; readonly text: ByteString }
  | { readonly kind: 'pattern'; readonly pattern: Pattern }
  | { readonly kind: 'exists'; readonly expected: boolean };

/** A set of addresses. Cost of `has`: constant for an address seen lately. */
export interface IpSet {
  has(ip: string): boolean;
}

/** A regular expression that runs in time linear in its input. */
export interface Pattern {
  readonly source: string;
  test(text: ByteString): boolean;
}
