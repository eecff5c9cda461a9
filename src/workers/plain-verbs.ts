// The verbs of the gateway that say something in plain data. A new one is named here once; nothing else has to know it.
import type { GatewayParts } from '../gateway/gateway-parts.ts';

/** Each has one argument that the structured clone algorithm can carry. */
export const plainVerbs = [
  'exposed',
  'happened',
  'unread',
  'mirrored',
  'differed',
  'serverChanged',
  'tlsFailed',
] as const satisfies readonly (keyof GatewayParts)[];

export type PlainVerb = (typeof plainVerbs)[number];

/** Who listens to them. */
export type PlainEars = Pick<GatewayParts, PlainVerb>;

/** One of them with its argument. */
export type Saying = readonly [verb: PlainVerb, argument: unknown];

/** The verbs as functions that hand their argument on. */
export function sayingEars(say: (saying: Saying) => void): PlainEars {
  const entries = plainVerbs.map((verb) => [verb, (argument: unknown) => say([verb, argument])]);
  return Object.fromEntries(entries) as PlainEars;
}

/** Calls the verb that was said. */
export function hear(ears: PlainEars, [verb, argument]: Saying): void {
  ears[verb](argument as never);
}
