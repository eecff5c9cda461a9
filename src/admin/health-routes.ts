// What machines ask without a token: is it alive, is it ready, its metrics.
import { z } from 'zod';
import type { AdminParts } from './admin-parts.ts';
import { type AdminInstance, openProblemResponses, textResponse } from './admin-instance.ts';
import { healthShape, readinessShape } from './contract.ts';

const open = { tags: ['health'], security: [] };

/** `GET /healthz`, `/readyz` and `/metrics`. */
export function addHealthRoutes(app: AdminInstance, { health, metrics }: Pick<AdminParts, 'health' | 'metrics'>): void {
  app.get(
    '/healthz',
    { schema: { ...open, summary: 'Liveness', response: { 200: healthShape, ...openProblemResponses() } } },
    () => ({ status: 'ok' as const }),
  );
  app.get(
    '/readyz',
    {
      schema: {
        ...open,
        summary: 'Readiness; with verbose what is degraded',
        querystring: z.object({ verbose: z.string().optional() }),
        response: { 200: readinessShape, 503: readinessShape, ...openProblemResponses() },
      },
    },
    async (request, reply) => {
      const { ready, reasons, degraded } = health.readiness();
      const status = ready ? ('ready' as const) : ('not ready' as const);
      const answer = request.query.verbose === undefined ? { status } : { status, reasons, degraded };
      return reply.code(ready ? 200 : 503).send(answer);
    },
  );
  const response = { 200: textResponse('text/plain', 'Prometheus text, or OpenMetrics'), ...openProblemResponses() };
  app.get('/metrics', { schema: { ...open, summary: 'Metrics', response } }, async (request, reply) => {
    const { contentType, text } = await metrics.render(request.headers.accept ?? '');
    return reply.header('content-type', contentType).send(text);
  });
}
