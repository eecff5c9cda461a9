// Wire shapes of what servers say that users did, and of what became of it.
import { z } from 'zod';
import { listOf } from './contract-evidence.ts';

/** Events in one request. */
export const mostEvents = 1_000;
/** Size of one request. */
export const eventsBodyBytes = 1_048_576;
const maxUserBytes = 1_024;
const largestValue = 1e12;
/** In 1973: what is below was meant as seconds. */
const leastTimeMs = 1e11;

const expected = (what: string) => ({ error: () => `expected ${what}` });
const time = expected('milliseconds since 1970, or a time such as 2026-11-22T10:00:00Z');
const id = expected('a text of 1 to 200 characters');
const user = expected('a text of 1 to 1,024 bytes');
const value = expected('a number from 0 to 1,000,000,000,000');
const name = expected('a name');
const at = z
  .union([z.number().min(leastTimeMs, time), z.iso.datetime({ offset: true, ...time })], time)
  .transform((written) => (typeof written === 'number' ? written : Date.parse(written)));

const fields = {
  id: z
    .string(id)
    .min(1, id)
    .max(200, id)
    .describe('yours; the same id again within 7 days counts once, so a batch may be sent again'),
  rollout: z.string(name),
  user: z
    .string(user)
    .min(1, user)
    .refine((sent) => sent.isWellFormed() && Buffer.byteLength(sent) <= maxUserBytes, user)
    .describe('the user ID as the gateway sees it'),
  event: z.string(name).describe('one of the events of the rollout'),
  value: z
    .number(value)
    .min(0, value)
    .max(largestValue, value)
    .optional()
    .describe(
      'absent: the number in the policy, 0 where it has no value; needed where it reads the value from requests',
    ),
  at: at
    .optional()
    .describe('when it was: milliseconds since 1970, or a time such as 2026-11-22T10:00:00Z; absent: now'),
};

export const eventShape = z.strictObject(fields, {
  error: (issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown field "${issue.keys.join('", "')}"; known: ${Object.keys(fields).join(', ')}`
      : 'expected an object with id, rollout, user and event',
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
export type Forgotten = z.output<typeof forgottenShape>;
