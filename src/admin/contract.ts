// The wire: every shape that the API answers with or takes, once. Validation, types and the OpenAPI document come from here.
import { z } from 'zod';
import { actionKinds } from '../rollout/rollout-event.ts';
import {
  auditEntryShape,
  candidateHealthShape,
  listOf,
  phaseShape,
  sampleRatioShape,
  verdictShape,
} from './contract-evidence.ts';
import { summaryFields, versionShape } from './contract-version.ts';

const count = z.number().min(0);
const atMs = z.number().describe('milliseconds since 1970');

/** An error (RFC 9457); `code` is one of docs/errors.md. */
export const problemShape = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string().optional(),
  requestId: z.string(),
});
export type Problem = z.output<typeof problemShape>;

export const healthShape = z.object({ status: z.literal('ok') });

/** `reasons` and `degraded` only where `?verbose` asks for them. */
export const readinessShape = z.object({
  status: z.enum(['ready', 'not ready']),
  reasons: listOf(z.string()).optional(),
  degraded: listOf(z.string()).optional(),
});

export const actionShape = z.enum(actionKinds);

/** Longest reason that an action may be given. */
export const maxReasonLength = 500;

/** Why the action is done: one line, for the audit log and those who are alerted. */
export const actionBodyShape = z.strictObject({
  reason: z
    .string()
    .trim()
    .min(1)
    .max(maxReasonLength)
    .refine((reason) => reason.isWellFormed() && !/\p{Cc}/u.test(reason), 'expected one line of text'),
});

const stateShape = z.object({
  phase: phaseShape,
  candidate: z.string().describe('the version that moves'),
  percent: z.number().describe('of users, on the candidate'),
  sinceMs: atMs.describe('when the phase began'),
  reason: z.string().describe('why the last change was made'),
  by: z.string().describe('who made it'),
  stage: z.object({
    index: z.number().nullable(),
    name: z.string(),
    sinceMs: atMs,
    heldMs: z.number(),
    timedOut: z.boolean(),
    needsApproval: z.boolean(),
  }),
  paused: z
    .object({ resumeTo: phaseShape, cause: z.enum(['person', 'guard', 'signal']), check: z.string().nullable() })
    .nullable(),
  frozenSinceMs: z.number().nullable().describe('since when a sample ratio mismatch lets nothing go forward'),
  rejected: listOf(z.string()).describe('releases that were rolled back'),
  saved: z.boolean().describe('whether the store has it'),
});

/** One rollout with all that is known of it now. */
export const rolloutShape = z.object({
  name: z.string(),
  release: z.string(),
  revision: z.number().int().describe('of the state; the ETag. 0 before it has begun'),
  state: stateShape.nullable(),
  holds: z.string().nullable().describe('why it does not move now'),
  actions: listOf(actionShape).describe('what the phase allows'),
  versions: listOf(versionShape),
  checks: listOf(
    z.object({
      name: z.string(),
      version: z.string().describe('the candidate that it watches; each check stands here once for each of them'),
      role: z.enum(['guard', 'signal']),
      metric: z.enum(['error-rate', 'latency', 'conversion', 'value', 'revenue', 'retention', 'prometheus', 'webhook']),
      verdict: verdictShape.nullable().describe('null: not judged yet'),
    }),
  ),
  sampleRatio: sampleRatioShape.nullable(),
  candidateHealth: candidateHealthShape.nullable().describe('of the first candidate; of several see versions'),
  experiment: z
    .object({
      metric: z.string().describe('the primary one'),
      winner: z.string().nullable().describe('a version, the baseline too; null: not decided'),
      isOver: z.boolean().describe('whether stopWhen has come'),
      sentence: z.string().describe('what the primary metric says, or what is waited for'),
    })
    .nullable()
    .describe('null: there is none'),
  stages: listOf(
    z.object({
      name: z.string(),
      percent: z.number(),
      holdMs: z.number(),
      minRequests: z.number(),
      approve: z.enum(['auto', 'manual']),
    }),
  ),
  bake: z.object({ holdMs: z.number(), controlPercent: z.number() }).nullable(),
});
export type ShownRollout = z.output<typeof rolloutShape>;

export const rolloutsShape = z.object({ rollouts: listOf(rolloutShape) });

export const resolutionShape = z.enum(['second', 'minute', 'hour']);

const historyFigures = z.object({
  version: z.string(),
  startMs: atMs,
  resolution: resolutionShape,
  users: count.describe('new ones'),
  percent: z.number().nullable(),
  harm: z.record(z.string(), z.number()).describe('log evidence for harm by check'),
  ...summaryFields,
});

/** Oldest first. `figuresLeftOut`: older points that are not in the answer. */
export const historyShape = z.object({
  rollout: z.string(),
  sinceMs: atMs,
  entries: listOf(auditEntryShape.extend({ id: z.number().int() })),
  figures: listOf(historyFigures),
  figuresLeftOut: count,
});
export type ShownHistory = z.output<typeof historyShape>;

/** `document`: the policy in force as it was written, secrets masked. */
export const policyShape = z.object({
  loadedMs: atMs,
  fingerprint: z.string(),
  document: z.unknown(),
  lastRejected: z
    .object({
      atMs,
      problems: listOf(
        z.object({
          file: z.string(),
          line: z.number(),
          column: z.number(),
          path: z.string(),
          problem: z.string(),
          hint: z.string().nullable(),
        }),
      ),
    })
    .nullable(),
});

/** Data of the stream's event `change`. */
export const changeEventShape = z.object({ rollout: z.string(), revision: z.number(), entry: auditEntryShape });

/** Data of the stream's event `figures`. */
export const figuresEventShape = z.object({ atMs, rollouts: listOf(rolloutShape) });
