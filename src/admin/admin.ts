// The admin port: health, readiness and metrics. Nothing of it can be reached from the public port.
import Fastify, { type FastifyInstance } from 'fastify';

/** What the admin port tells of the gateway. */
export interface AdminSource {
  readiness(): Readiness;
  renderMetrics(accept: string): Promise<{ contentType: string; text: string }>;
}

/** `degraded` lists what works less well than it should, without making the gateway unready. */
export type Readiness = { readonly ready: boolean; readonly reasons: readonly string[]; readonly degraded: readonly string[] };

/** Builds the instance; the caller listens and closes. */
export function createAdmin(source: AdminSource): FastifyInstance {
  const admin = Fastify({ logger: false, forceCloseConnections: true });
  admin.get('/healthz', async () => ({ status: 'ok' }));
  admin.get<{ Querystring: { verbose?: string } }>('/readyz', async (request, reply) => {
    const { ready, reasons, degraded } = source.readiness();
    reply.code(ready ? 200 : 503);
    const status = ready ? 'ready' : 'not ready';
    return request.query.verbose === undefined ? { status } : { status, reasons, degraded };
  });
  admin.get('/metrics', async (request, reply) => {
    const { contentType, text } = await source.renderMetrics(request.headers.accept ?? '');
    return reply.header('content-type', contentType).send(text);
  });
  admin.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .header('content-type', 'application/problem+json')
      .send({ type: 'about:blank', title: 'not found', status: 404, detail: `there is no ${request.method} ${request.url}` }),
  );
  admin.setErrorHandler((_error, _request, reply) =>
    reply
      .code(500)
      .header('content-type', 'application/problem+json')
      .send({ type: 'urn:graygate:error:internal', title: 'graygate failed', status: 500 }),
  );
  return admin;
}
