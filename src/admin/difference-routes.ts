// What the mirror found: pairs of answers that differ.
import { z } from 'zod';
import type { AdminParts } from './admin-parts.ts';
import { type AdminInstance, problemResponses } from './admin-instance.ts';
import { listOf } from './contract-evidence.ts';
import { viewOf } from './rollout-desk.ts';

/** The last pairs of answers that differ. */
export const differencesShape = z.object({
  rollout: z.string(),
  pairs: listOf(
    z.object({
      requestId: z.string(),
      atMs: z.number().describe('milliseconds since 1970'),
      version: z.string().describe('that the copy went to'),
      method: z.string(),
      target: z.string(),
      differences: listOf(
        z.object({
          kind: z.enum(['status', 'header', 'json']),
          place: z.string().describe('status, the name of a header, or a path such as $.items[0]'),
          user: z.string().nullable().describe('what the user got; null: nothing is there'),
          copy: z.string().nullable().describe('what the candidate said to the copy'),
        }),
      ),
    }),
  ).describe('the last hundred, the newest first'),
});

/** `GET /api/v1/rollouts/{name}/differences`. */
export function addDifferenceRoutes(app: AdminInstance, parts: Pick<AdminParts, 'rollouts' | 'mirror'>): void {
  const schema = {
    tags: ['rollouts'],
    summary: 'Answers of the candidate to mirrored requests that differ from what users got',
    params: z.object({ name: z.string() }),
    response: { 200: differencesShape, ...problemResponses('unknown-rollout', 'store-unavailable') },
  };
  app.get('/api/v1/rollouts/:name/differences', { config: { role: 'viewer' }, schema }, ({ params }) => {
    const { name: rollout } = viewOf(parts, params.name).rollout;
    return { rollout, pairs: [...parts.mirror.recent(rollout)] };
  });
}
