// Wire shapes of what servers say that users did, and of what became of it.
import { z } from 'zod';
import { listOf } from './contract-evidence.ts';

/** Events in one request. */
export const mostEvents = 1_000;
/** Size of one request. */
export const eventsBodyBytes = 1_048_576;
const maxUserBytes = 1_024;
const largestValue = 1e12;

const error = (): string => 'expected milliseconds since 1970, or a time such as 2026-11-22T10:00:00Z';
const at = z
  .union([z.number(), z.iso.datetime({ offset: true, error })], { error })
  .transform((written) => (typeof written === 'number' ? written : Date.parse(written)));

export const eventShape = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(200)
    .describe('yours; the same id again within 7 days counts once, so a batch may be sent again'),
  rollout: z.string(),
  user: z
    .string()
    .min(1)
    .refine((user) => user.isWellFormed() && Buffer.byteLength(user) <= maxUserBytes, 'expected 1 to 1,024 bytes')
    .describe('the user ID as the gateway sees it'),
  event: z.string().describe('one of the events of the rollout'),
  value: z.number().min(0).max(largestValue).optional().describe('absent: the number in the policy, else 0'),
  at: at
    .optional()
    .describe('when it was: milliseconds since 1970, or a time such as 2026-11-22T10:00:00Z; absent: now'),
});
export type SentEvent = z.output<typeof eventShape>;

export const eventsShape = z.array(eventShape).min(1).max(mostEvents);

export const eventsAnswerShape = z.object({
  accepted: z.number().int().describe('durable now'),
  duplicates: z.number().int().describe('known already, and not counted again'),
  rejected: listOf(
    z.object({
      index: z.number().int().describe('in the body, from 0'),
      id: z.string().nullable(),
      reason: z.string(),
    }),
  ),
});
export type EventsAnswer = z.output<typeof eventsAnswerShape>;

export const forgottenShape = z.object({
  forgotten: z.number().int().describe('records that were removed: one a rollout that knew the user'),
});
