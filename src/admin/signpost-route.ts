// What somebody finds who opens the admin port: where everything is. Whoever reaches the port may know that much.
import { z } from 'zod';
import { type AdminInstance, openProblemResponses } from './admin-instance.ts';

/** Paths on the admin port. */
export const signpostShape = z.object({
  title: z.string(),
  rollouts: z.string().describe('the API; it may need a token'),
  openapi: z.string().describe('what else the API has'),
  metrics: z.string(),
  liveness: z.string(),
  readiness: z.string(),
});

const paths = {
  title: 'the admin port of graygate',
  rollouts: '/api/v1/rollouts',
  openapi: '/api/openapi.json',
  metrics: '/metrics',
  liveness: '/healthz',
  readiness: '/readyz',
} as const;

/** `GET /`. */
export function addSignpostRoute(app: AdminInstance): void {
  const response = { 200: signpostShape, ...openProblemResponses() };
  app.get('/', { schema: { tags: ['health'], security: [], summary: 'Where everything is', response } }, () => paths);
}
