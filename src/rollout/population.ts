// Who takes part in a rollout's split: users in its share of a layer who are not held out. Each has a hash of its own, so that it
// has nothing to do with the bucket.
import { bucketOf, bucketPrefix } from './bucket.ts';
import type { ByteString } from './policy.ts';

/** The users of a layer whom this rollout has: of their places in it those from `fromPercent` up to, not including, `toPercent`. */
export type LayerShare = {
  readonly name: string;
  /** Of the hash that places users in the layer. */
  readonly salt: ByteString;
  readonly fromPercent: number;
  readonly toPercent: number;
};

/** Users who get the baseline of every rollout, to be compared with everyone else. */
export type Holdout = { readonly salt: ByteString; readonly percent: number };

/** Where users are asked for: hashes of `prefix` and user, modulo 10000, from `from` up to, not including, `below`. */
export type Places = { readonly prefix: ByteString; readonly from: number; readonly below: number };

export type Population = { readonly heldOut: Places | null; readonly layer: Places | null };

/** Why a user is not asked by the split. */
export const standingAside = ['holdout', 'layer'] as const;

export type StandsAside = (typeof standingAside)[number];

/** Prepares the questions; null where everyone takes part. */
export function compilePopulation(of: {
  readonly holdout: Holdout | null;
  readonly layer: LayerShare | null;
}): Population | null {
  if (of.holdout === null && of.layer === null) return null;
  const heldOut = of.holdout && placesOf(`holdout:${of.holdout.salt}`, 0, of.holdout.percent);
  const layer = of.layer && placesOf(`layer:${of.layer.salt}`, of.layer.fromPercent, of.layer.toPercent);
  return Object.freeze({ heldOut, layer });
}

/** Null: the user takes part. Cost: one hash a question. */
export function standsAside({ heldOut, layer }: Population, user: ByteString): StandsAside | null {
  if (heldOut !== null && isAt(heldOut, user)) return 'holdout';
  return layer !== null && !isAt(layer, user) ? 'layer' : null;
}

function isAt({ prefix, from, below }: Places, user: ByteString): boolean {
  const place = bucketOf(prefix, user);
  return place >= from && place < below;
}

function placesOf(salt: ByteString, fromPercent: number, toPercent: number): Places {
  const [from, below] = [fromPercent, toPercent].map((percent) => Math.round(percent * 100));
  return Object.freeze({ prefix: bucketPrefix(salt), from: from!, below: below! });
}
