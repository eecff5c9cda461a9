// The wire, continued: a version, its servers and what it did.
import { z } from 'zod';
import { candidateHealthShape, listOf } from './contract-evidence.ts';

const count = z.number().min(0);

/** What a version did in some time. */
export const summaryFields = {
  requests: count,
  failures: count,
  errorRatio: z.number().nullable().describe('0–1; null without requests'),
  requestsPerSecond: count,
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
};

export const summaryShape = z.object(summaryFields);

const serverShape = z.object({
  origin: z.string(),
  weight: z.number(),
  up: z.boolean().nullable().describe('whether it takes requests, at any of its addresses; null: not known'),
  addresses: listOf(
    z.object({
      address: z.string().nullable().describe('where its name led to; null where its origin has the address'),
      state: z.enum(['up', 'slow', 'down', 'ejected', 'unresolved']),
    }),
  ),
});

/** One version of a rollout with its servers. */
export const versionShape = z.object({
  name: z.string(),
  role: z.enum(['baseline', 'candidate']),
  percent: z.number().describe('of users'),
  servers: listOf(serverShape),
  recent: summaryShape.describe('the last minute'),
  stage: summaryShape.nullable().describe('since the stage began, without anonymous requests'),
  health: candidateHealthShape
    .nullable()
    .optional()
    .describe('whether it answers; only where several candidates are watched; null: not known yet'),
});
