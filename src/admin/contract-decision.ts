// Wire shapes of a decision told step by step.
import { z } from 'zod';
import { reasons } from '../rollout/decide.ts';
import { standingAside } from '../rollout/population.ts';
import { listOf } from './contract-evidence.ts';

const matchStep = z.object({
  step: z.literal('match'),
  host: z.string(),
  path: z.string(),
  tried: listOf(z.object({ rollout: z.string(), host: z.string().nullable(), path: z.string().nullable() })),
});

const identityStep = z.object({
  step: z.literal('identity'),
  tried: listOf(
    z.object({
      source: z.string(),
      value: z.string().nullable(),
      outcome: z.enum(['used', 'absent', 'empty', 'too-long', 'not-issued']),
    }),
  ),
  user: z.string().nullable(),
});

const rulesStep = z.object({
  step: z.literal('rules'),
  tried: listOf(
    z.object({
      rule: z.string(),
      holds: z.boolean(),
      conditions: listOf(z.object({ condition: z.string(), value: z.string().nullable(), holds: z.boolean() })),
    }),
  ),
  rule: z.string().nullable(),
});

const anonymousStep = z.object({
  step: z.literal('anonymous'),
  gets: z.enum(['cookie', 'baseline', 'ip']),
  user: z.string().nullable(),
});

const populationStep = z.object({
  step: z.literal('population'),
  tried: listOf(
    z.object({
      of: z.enum(standingAside),
      hashed: z.string(),
      place: z.number(),
      from: z.number(),
      below: z.number(),
      isWithin: z.boolean(),
    }),
  ),
});

const bucketStep = z.object({
  step: z.literal('bucket'),
  splitOf: z.enum(['rollout', 'rule']),
  hashed: z.string(),
  hash: z.number(),
  bucket: z.number(),
  ranges: listOf(z.object({ version: z.string(), from: z.number(), below: z.number() })),
  version: z.string(),
});

/** `decision` is null where no rollout takes the request; `userIn` is the source that `user` was put in. */
export const explanationShape = z.object({
  decision: z
    .object({
      rollout: z.string(),
      version: z.string(),
      reason: z.enum(reasons),
      rule: z.string().nullable(),
      bucket: z.number().nullable(),
      user: z.string().nullable(),
      issueCookie: z.boolean(),
    })
    .nullable(),
  steps: listOf(
    z.discriminatedUnion('step', [
      matchStep,
      identityStep,
      z.object({ step: z.literal('rolled-back'), rolledBack: z.boolean() }),
      z.object({ step: z.literal('skew'), page: z.string().nullable() }),
      rulesStep,
      anonymousStep,
      populationStep,
      z.object({ step: z.literal('exclude'), excluded: z.boolean() }),
      bucketStep,
    ]),
  ),
  userIn: z.string().nullable(),
});

export type ShownExplanation = z.output<typeof explanationShape>;
