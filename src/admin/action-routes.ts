// Moving a rollout: one route for every action, safe to send twice and safe against a stale screen.
import { z } from 'zod';
import type { FastifyRequest } from 'fastify';
import { GraygateError } from '../errors.ts';
import type { ActionKind } from '../rollout/rollout-event.ts';
import { actionKinds } from '../rollout/rollout-event.ts';
import type { AdminParts } from './admin-parts.ts';
import { type AdminInstance, problemResponses } from './admin-instance.ts';
import { actionBodyShape, actionShape, rolloutShape } from './contract.ts';
import { type Answer, IdempotentActions, type KeyedRequest } from './idempotency.ts';
import { problemIn, problemOf, problemType } from './problem.ts';
import { actOrThrow, etagOf, requireRevision, showOne, viewOf } from './rollout-desk.ts';

type Parts = Pick<AdminParts, 'rollouts' | 'servers' | 'responses'>;

type Asked = {
  readonly rollout: string;
  readonly action: ActionKind;
  readonly reason: string;
  readonly by: string;
  /** Of If-Match; null: whichever revision. */
  readonly revisions: readonly number[] | null;
};

const params = z.object({ name: z.string(), action: z.string().describe(`one of ${actionKinds.join(', ')}`) });

const headers = z.object({
  'if-match': z.string().max(1_000).optional().describe('the ETag of the rollout that was seen'),
  'idempotency-key': z
    .string()
    .regex(/^[\x20-\x7e]{1,255}$/, 'expected 1 to 255 printable ASCII characters')
    .optional()
    .describe('sent twice with the same key, an action is done once; kept for 24 h'),
});

/** `POST /api/v1/rollouts/{name}/{action}`. */
export function addActionRoutes(app: AdminInstance, parts: Parts): void {
  const schema = schemaOfAction();
  const idempotent = new IdempotentActions(parts.responses);
  app.post('/api/v1/rollouts/:name/:action', { config: { role: 'operator' }, schema }, async (request, reply) => {
    const ifMatch = request.headers['if-match'];
    const asked: Asked = {
      rollout: request.params.name,
      action: actionOf(request.params.action),
      reason: request.body.reason,
      by: request.by,
      revisions: ifMatch === undefined ? null : revisionsIn(ifMatch),
    };
    const act = (): Promise<Answer> => answer(parts, asked, request.id);
    const key = request.headers['idempotency-key'];
    const done =
      key === undefined
        ? { ...(await act()), replayed: false }
        : await idempotent.once(keyed(key, asked, ifMatch), act);
    if (done.replayed) reply.header('idempotency-replayed', 'true');
    return reply
      .code(done.status as 200)
      .headers(done.headers)
      .send(done.body as never);
  });
}

/** The same rollout, action, reason and revision make two requests with one key the same. */
function keyed(key: string, { by, rollout, action, reason }: Asked, ifMatch = ''): KeyedRequest {
  return { by, key, parts: [rollout, action, reason, ifMatch], evenWithoutStore: action === 'rollback' };
}

function schemaOfAction() {
  const problems = problemResponses(
    'invalid-input',
    'not-found',
    'unknown-rollout',
    'phase-conflict',
    'blocked-by-evidence',
    'stale-revision',
    'body-too-large',
    'unsupported-media-type',
    'key-reused',
    'store-unavailable',
    'store-corrupt',
  );
  return {
    tags: ['rollouts'],
    summary: 'Do something with a rollout; answers with the rollout as it is then',
    params,
    headers,
    body: actionBodyShape,
    response: { 200: rolloutShape, ...problems },
  };
}

/** Does it, and gives the answer whole: refusals too are answers that a repeated request gets again. */
async function answer(parts: Parts, asked: Asked, requestId: FastifyRequest['id']): Promise<Answer> {
  try {
    const { rollout, action, by, reason, revisions } = asked;
    const view = viewOf(parts, rollout);
    const revision = revisions === null ? null : requireRevision(view, revisions);
    await actOrThrow(parts, rollout, { action, by, reason, nowMs: Date.now(), revision });
    const shown = showOne(parts, rollout, Date.now());
    const headersOf = { 'content-type': 'application/json; charset=utf-8', etag: etagOf(shown.revision) };
    return { status: 200, headers: headersOf, body: JSON.stringify(shown) };
  } catch (error) {
    const known = problemIn(error);
    if (!(error instanceof GraygateError) || known === null) throw error;
    const problem = problemOf(known.code, known.detail, requestId);
    const retry = problem.status === 503 ? { 'retry-after': '1' } : {};
    return {
      status: problem.status,
      headers: { 'content-type': problemType, ...retry },
      body: JSON.stringify(problem),
    };
  }
}

function actionOf(word: string): ActionKind {
  const action = actionShape.safeParse(word);
  if (action.success) return action.data;
  throw new GraygateError('not-found', `there is no action "${word}"; expected one of ${actionKinds.join(', ')}`);
}

/** RFC 9110, 13.1.1. A weak tag never matches. null for `*`. */
function revisionsIn(ifMatch: string): readonly number[] | null {
  if (ifMatch.trim() === '*') return null;
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (!tags.every((tag) => /^(W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) {
    throw new GraygateError('invalid-input', 'headers: if-match: expected an ETag such as "7", or *');
  }
  return tags.flatMap((tag) => (/^"\d{1,15}"$/.test(tag) ? [Number(tag.slice(1, -1))] : []));
}
