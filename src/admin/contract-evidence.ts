// Wire shapes of what is known of a rollout: verdicts with their evidence, measurements, lines of the audit log.
// They are the shapes of src/rollout, field by field; the compiler holds each to its type where it is sent.
import { z } from 'zod';

const guardOrSignal = z.enum(['guard', 'signal']);
const count = z.number().min(0);
const atMs = z.number().describe('milliseconds since 1970');

/** Every phase, as SPEC 6 calls them. */
export const phaseShape = z.enum(['steady', 'progressing', 'waiting', 'paused', 'baking', 'promoted', 'rolled-back']);

/** A list that nobody changes. */
export function listOf<Shape extends z.ZodType>(shape: Shape) {
  return z.array(shape).readonly();
}

const failureCount = z.object({ hits: count, count });
const logEvidence = {
  logHarm: z.number(),
  harmThreshold: z.number(),
  logProof: z.number(),
  proofThreshold: z.number(),
};

const userMean = z.object({ users: count, mean: z.number().nullable() });

const evidenceShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('error-rate'), ...logEvidence, baseline: failureCount, candidate: failureCount }),
  z.object({
    kind: z.literal('latency'),
    ...logEvidence,
    quantiles: listOf(
      z.object({
        quantile: z.number(),
        baselineMs: z.number().nullable(),
        candidateMs: z.number().nullable(),
        logHarm: z.number(),
        logProof: z.number(),
      }),
    ),
    baselineRequests: count,
    candidateRequests: count,
  }),
  z.object({
    kind: z.literal('business'),
    ...logEvidence,
    lacks: z.string().nullable().describe('what there is not enough of to decide'),
    baseline: userMean,
    candidate: userMean,
  }),
  z.object({
    kind: z.literal('source'),
    value: z.number().nullable(),
    breachesInARow: count,
    errorsInARow: count,
    failures: count,
  }),
]);

/** What a check says. */
export const verdictShape = z.object({
  check: z.string(),
  version: z.string().optional().describe('the candidate that it is about; older entries of the audit log lack it'),
  role: guardOrSignal,
  answer: z.enum(['pass', 'fail', 'not-enough-data', 'error']),
  evidence: evidenceShape,
  sentence: z.string(),
});

/** New users a version beside what the split promises. */
export const sampleRatioShape = z.object({
  answer: z.enum(['ok', 'mismatch']),
  version: z.string().optional().describe('of several candidates the one that is furthest off'),
  chance: z.number(),
  candidateUsers: count,
  users: count,
  expectedCandidateUsers: count,
});

/** Whether the candidate answers at all. */
export const candidateHealthShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('up') }),
  z.object({ kind: z.literal('refused'), sinceMs: atMs }),
  z.object({ kind: z.literal('stalled'), sinceMs: atMs, timeoutMs: z.number() }),
]);

const versionFigures = z.object({ requests: count, failures: count });

const figure = z.number().nullable();

/** Where an experiment stands: who has won, and whether it is over. */
const experimentStandingShape = z.object({
  release: z.string(),
  metric: z.string(),
  winner: z.string().nullable(),
  isOver: z.boolean(),
  then: z.enum(['report', 'promote-winner']),
  sentence: z.string(),
  figures: listOf(
    z.object({
      candidate: z.string(),
      users: figure,
      candidateMean: figure,
      baselineMean: figure,
      difference: figure,
      lower: figure,
      upper: figure,
      logEvidence: figure,
    }),
  ),
});

const measurementShape = z.object({
  verdicts: listOf(verdictShape),
  figures: z.object({
    baseline: versionFigures,
    candidate: versionFigures,
    lastCandidateRequestMs: z.number().nullable(),
  }),
  sampleRatio: sampleRatioShape,
  candidate: candidateHealthShape,
  others: listOf(z.object({ version: z.string(), health: candidateHealthShape }))
    .optional()
    .describe('further candidates that do not answer'),
  experiment: experimentStandingShape.optional(),
});

const placeShape = z.object({
  phase: phaseShape,
  stage: z.number().nullable(),
  name: z.string(),
  percent: z.number(),
});

/** One line of the audit log. */
export const auditEntryShape = z.object({
  atMs,
  kind: z.enum([
    'begin',
    'advance',
    'wait',
    'promote',
    'rollback',
    'step-back',
    'pause',
    'resume',
    'retry',
    'freeze',
    'unfreeze',
    'time-out',
    'conclude',
    'policy',
    'restore',
  ]),
  by: z.string(),
  reason: z.string(),
  note: z.string().nullable(),
  release: z.string(),
  revision: z.number(),
  from: placeShape.nullable(),
  to: placeShape,
  measured: measurementShape.nullable(),
  alert: z.enum([...phaseShape.options, 'stepped-back', 'frozen', 'timed-out', 'decided']).nullable(),
});
