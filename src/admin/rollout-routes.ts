// Reading rollouts: where they stand, and what was.
import { z } from 'zod';
import { GraygateError } from '../errors.ts';
import type { AdminParts } from './admin-parts.ts';
import { type AdminInstance, problemResponses } from './admin-instance.ts';
import { historyShape, resolutionShape, rolloutShape, rolloutsShape } from './contract.ts';
import { etagOf, showAll, showOne, viewOf } from './rollout-desk.ts';
import { fittingResolution, showPoint, timeOf } from './show-history.ts';

type Parts = Pick<AdminParts, 'rollouts' | 'servers' | 'history'>;

/** Points of figures in one answer; of more the newest. */
export const maxFigurePoints = 5_000;

const config = { role: 'viewer' } as const;
const tags = ['rollouts'];
const named = z.object({ name: z.string() });

const historyQuery = z.strictObject({
  since: z.string().default('1h').describe('an ISO 8601 time, or a duration before now such as 30m, 6h, 7d'),
  resolution: resolutionShape.optional().describe('of the figures; they may have become coarser by now'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('audit entries, the newest'),
  before: z.coerce.number().int().min(1).optional().describe('only audit entries before the one with this id'),
});

/** `GET /api/v1/rollouts`, `/{name}` and `/{name}/history`. */
export function addRolloutRoutes(app: AdminInstance, parts: Parts): void {
  app.get(
    '/api/v1/rollouts',
    {
      config,
      schema: {
        tags,
        summary: 'Every rollout',
        response: { 200: rolloutsShape, ...problemResponses('store-unavailable') },
      },
    },
    () => ({ rollouts: showAll(parts, Date.now()) }),
  );
  app.get(
    '/api/v1/rollouts/:name',
    {
      config,
      schema: {
        tags,
        summary: 'One rollout; its revision is the ETag',
        params: named,
        response: { 200: rolloutShape, ...problemResponses('unknown-rollout', 'store-unavailable') },
      },
    },
    async (request, reply) => {
      const shown = showOne(parts, request.params.name, Date.now());
      return reply.header('etag', etagOf(shown.revision)).send(shown);
    },
  );
  addHistoryRoute(app, parts);
}

function addHistoryRoute(app: AdminInstance, parts: Parts): void {
  const problems = problemResponses('invalid-input', 'unknown-rollout', 'store-unavailable', 'store-corrupt');
  const schema = {
    tags,
    summary: 'The audit log and figures over time, oldest first',
    params: named,
    querystring: historyQuery,
    response: { 200: historyShape, ...problems },
  };
  app.get('/api/v1/rollouts/:name/history', { config, schema }, async ({ params, query }) => {
    const { name: rollout } = viewOf(parts, params.name).rollout;
    const nowMs = Date.now();
    const sinceMs = timeOf(query.since, nowMs);
    if (sinceMs === null) {
      throw new GraygateError(
        'invalid-input',
        'querystring: since: expected an ISO 8601 time or a duration such as 1h',
      );
    }
    const { limit, before, resolution = fittingResolution(nowMs - sinceMs) } = query;
    const [entries, points] = await Promise.all([
      parts.history.entries({ rollout, sinceMs, limit, ...(before === undefined ? {} : { beforeId: before }) }),
      parts.history.points({ rollout, sinceMs, resolution }),
    ]);
    return {
      rollout,
      sinceMs,
      entries: entries.map(({ id, entry }) => ({ id, ...entry.value })),
      figures: points.slice(-maxFigurePoints).map(showPoint),
      figuresLeftOut: Math.max(0, points.length - maxFigurePoints),
    };
  });
}
