// The wire shape of an experiment's report: that of src/rollout/experiment-report, field by field.
import { z } from 'zod';
import { listOf } from './contract-evidence.ts';

const count = z.number().min(0);
const atMs = z.number().describe('milliseconds since 1970');

const metricShape = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('conversion'),
      name: z.string(),
      event: z.string(),
      of: z.string().nullable(),
      windowMs: z.number(),
    }),
    z.object({ kind: z.literal('value'), name: z.string(), event: z.string(), cap: z.number().nullable() }),
    z.object({ kind: z.literal('revenue'), name: z.string(), event: z.string(), cap: z.number().nullable() }),
    z.object({ kind: z.literal('retention'), name: z.string(), day: z.number() }),
    z.object({ kind: z.literal('events'), name: z.string(), event: z.string() }),
  ])
  .describe('value: average value of an event; revenue: value a user');

const estimated = {
  difference: z.number().describe('candidate - baseline'),
  lower: z.number(),
  upper: z.number().describe('the interval holds at every look'),
  standardError: z.number(),
  logEvidence: z.number().describe('natural log of the evidence against "no difference"'),
  chance: z.number().describe('0–1, of this much by luck'),
  lift: z
    .object({ value: z.number(), lower: z.number(), upper: z.number() })
    .nullable()
    .describe('in parts of the baseline (0.1: a tenth more); null where the baseline may be 0'),
};

const missingShape = z.discriminatedUnion('what', [
  z.object({ what: z.literal('time'), have: z.number(), need: z.number() }),
  z.object({ what: z.enum(['users', 'hits', 'misses', 'orders']), version: z.string(), have: count, need: count }),
  z.object({ what: z.literal('spread') }),
]);

const metricVerdictShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['better', 'worse']) }),
  z.object({ kind: z.literal('no-difference'), largest: z.number(), largestLift: z.number().nullable() }),
  z.object({ kind: z.literal('not-enough-data'), missing: listOf(missingShape) }),
  z.object({ kind: z.literal('frozen') }),
]);

const comparisonShape = z.object({
  candidate: z.string(),
  alpha: z.number(),
  figures: z.object({ ...estimated, users: count, candidateMean: z.number(), baselineMean: z.number() }).nullable(),
  adjusted: z
    .object({ ...estimated, saved: z.number() })
    .nullable()
    .describe('with the past of the users taken into account; it decides where it is there'),
  verdict: metricVerdictShape,
  sentence: z.string(),
});

const byVersion = z.object({
  name: z.string(),
  users: count,
  mean: z.number().nullable(),
  variance: z.number().nullable().describe("of one user's part of the mean"),
  nonZero: count,
  waiting: count.describe('users whose outcome is not known yet'),
});

const metricReportShape = z.object({
  metric: metricShape,
  role: z.enum(['primary', 'secondary']),
  decidedBy: z.string().nullable().describe('the metric to decide by instead'),
  versions: listOf(byVersion),
  comparisons: listOf(comparisonShape),
});

/** `GET /api/v1/experiments/{rollout}`. */
export const experimentShape = z.object({
  rollout: z.string(),
  release: z.string(),
  beganMs: atMs,
  atMs,
  alpha: z.number(),
  timeZone: z.string(),
  leastMs: z.number(),
  versions: listOf(z.object({ name: z.string(), role: z.enum(['baseline', 'candidate']), users: count })),
  balance: z.object({
    answer: z.enum(['ok', 'mismatch']),
    chance: z.number(),
    versions: listOf(z.object({ name: z.string(), users: count, expected: count })),
  }),
  leftOut: z.object({ crossed: count, moved: count }),
  phases: listOf(z.object({ beganMs: atMs, percents: listOf(z.number()), exposed: listOf(count) })),
  metrics: listOf(metricReportShape),
  decision: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('winner'), version: z.string(), about: z.string(), sentence: z.string() }),
    z.object({ kind: z.literal('undecided'), about: z.string().nullable(), sentence: z.string() }),
  ]),
  days: listOf(
    z.object({
      startMs: atMs,
      exposed: listOf(count),
      means: listOf(z.object({ name: z.string(), means: listOf(z.number().nullable()) })),
    }),
  ),
  events: listOf(z.object({ event: z.string(), count, valueSum: z.number() })),
});
