// The type of the admin's Fastify instance, and what every route's schema has in common.
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { errorTable, type ErrorCode } from '../errors.ts';
import { problemShape } from './contract.ts';
import type { Role } from './access-gate.ts';

export type AdminInstance = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route; absent: everyone. */
    role?: Role;
    /** A form of graygate's own page is taken instead of JSON. */
    takesForm?: boolean;
  }
  interface FastifyRequest {
    /** Who asks, for the audit log; empty where the route asks for no role. */
    by: string;
  }
}

/** Any route with a role may answer these. */
const gateCodes: readonly ErrorCode[] = [
  'token-required',
  'not-allowed',
  'loopback-only',
  'foreign-origin',
  'foreign-host',
  'too-many-failures',
  'internal',
];

/** The problems among a route's responses, by status, for its schema. */
export function problemResponses(...codes: readonly ErrorCode[]) {
  return responsesFor([...gateCodes, ...codes]);
}

/** The same for a route that everyone may call. */
export function openProblemResponses(...codes: readonly ErrorCode[]) {
  return responsesFor(['internal', ...codes]);
}

function responsesFor(codes: readonly ErrorCode[]) {
  const byStatus = Map.groupBy(codes, (code) => errorTable[code].status);
  const responses = Array.from(byStatus, ([status, sharing]) => {
    const description = sharing.map((code) => `\`${code}\`: ${errorTable[code].title}`).join('; ');
    return [
      String(status),
      { description, content: { 'application/problem+json': { schema: problemShape } } },
    ] as const;
  });
  return Object.fromEntries(responses);
}

/** A response that is not JSON. */
export function textResponse(contentType: string, description: string) {
  return { description, content: { [contentType]: { schema: z.string() } } };
}
