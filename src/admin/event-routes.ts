// What servers say that users did, and forgetting a user.
import type { FastifyRouteSchemaDef, FastifyValidationResult } from 'fastify/types/schema.js';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GraygateError } from '../errors.ts';
import { countOf } from '../rollout/wording.ts';
import type { AdminParts } from './admin-parts.ts';
import { type AdminInstance, problemResponses } from './admin-instance.ts';
import {
  type EventsAnswer,
  eventsAnswerShape,
  eventsBodyBytes,
  eventsShape,
  type Forgotten,
  forgottenShape,
  mostEvents,
} from './contract-events.ts';
import { answerTo, screenEvents } from './event-screening.ts';

type Parts = Pick<AdminParts, 'experiments' | 'decider'>;

/** The body is looked at event by event, so that one that is wrong is answered as such and does not hold up the others. */
function bodyUnread<Schema>(route: FastifyRouteSchemaDef<Schema>): FastifyValidationResult {
  return route.httpPart === 'body' ? (body: unknown) => ({ value: body }) : validatorCompiler(route as never);
}

/** `POST /api/v1/events` and `DELETE /api/v1/users/{id}`. */
export function addEventRoutes(app: AdminInstance, { experiments, decider }: Parts): void {
  const problems = problemResponses(
    'invalid-input',
    'body-too-large',
    'unsupported-media-type',
    'events-overload',
    'store-unavailable',
    'store-corrupt',
  );
  app.post(
    '/api/v1/events',
    {
      config: { role: 'ingest' },
      bodyLimit: eventsBodyBytes,
      validatorCompiler: bodyUnread,
      schema: {
        tags: ['experiments'],
        summary: 'What users did; accepted means durable',
        description: `At most ${mostEvents} events; those that cannot be taken are listed with the reason, the others are taken all the same.`,
        body: eventsShape,
        response: { 200: eventsAnswerShape, ...problems },
      },
    },
    ({ body }) => ingest({ experiments, decider }, body),
  );
  app.delete(
    '/api/v1/users/:id',
    {
      config: { role: 'operator' },
      schema: {
        tags: ['experiments'],
        summary: 'Forgets a user, in every rollout or in one',
        params: z.object({ id: z.string().min(1).describe('the user ID as the gateway sees it') }),
        querystring: z.strictObject({ rollout: z.string().optional() }),
        response: {
          200: forgottenShape,
          ...problemResponses('invalid-input', 'unknown-rollout', 'store-unavailable', 'store-corrupt'),
        },
      },
    },
    ({ params, query }) => forget({ experiments, decider }, params.id, query.rollout),
  );
}

/** A name that nobody knows is no success: the user would not be forgotten where that was meant. */
async function forget({ experiments, decider }: Parts, id: string, rollout?: string): Promise<Forgotten> {
  const forgotten = await experiments.forget(Buffer.from(id, 'utf8').toString('latin1'), rollout);
  if (forgotten > 0 || rollout === undefined) return { forgotten };
  const isInPolicy = decider.table().rollouts.some((one) => one.rollout.name === rollout);
  // Of one that left the policy the figures stay.
  if (isInPolicy || (await experiments.figures(rollout)) !== null) return { forgotten };
  throw new GraygateError('unknown-rollout', `there is no rollout "${rollout}"`);
}

async function ingest({ experiments, decider }: Parts, body: unknown): Promise<EventsAnswer> {
  const screened = screenEvents(listIn(body), decider.table(), Date.now());
  const events = screened.events.map(({ event }) => event);
  return answerTo(screened, events.length === 0 ? [] : await experiments.ingest(events));
}

function listIn(body: unknown): readonly unknown[] {
  const came = Array.isArray(body) ? `a list of ${countOf(body.length)}` : 'no list';
  if (Array.isArray(body) && body.length >= 1 && body.length <= mostEvents) return body;
  throw new GraygateError('invalid-input', `body: expected a list of 1 to ${countOf(mostEvents)} events, got ${came}`);
}
