// The live stream for screens and programs.
import { GraygateError } from '../errors.ts';
import type { AccessGate } from './access-gate.ts';
import { type AdminInstance, problemResponses, textResponse } from './admin-instance.ts';
import { StreamHub, type StreamLimits, type StreamParts } from './stream-hub.ts';

/** `GET /api/v1/stream`. */
export function addStreamRoutes(
  app: AdminInstance,
  parts: StreamParts & { gate: AccessGate },
  limits: StreamLimits,
): void {
  const hub = new StreamHub(parts, limits);
  app.addHook('preClose', () => hub.close());
  const schema = {
    tags: ['rollouts'],
    summary: 'Server-sent events: `change` for every change of state, `figures` each second',
    response: { 200: textResponse('text/event-stream', 'events'), ...problemResponses('too-many-streams') },
  };
  app.get('/api/v1/stream', { config: { role: 'viewer' }, schema }, async (request, reply) => {
    reply.headers({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      // nginx would hold events back until its buffer is full.
      'x-accel-buffering': 'no',
    });
    if (request.method === 'HEAD') return reply.send('');
    if (hub.isFull) {
      reply.removeHeader('content-type');
      throw new GraygateError('too-many-streams');
    }
    const visitor = { peer: request.socket.remoteAddress ?? '', headers: request.headers };
    reply.hijack();
    reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>);
    hub.add({
      response: reply.raw,
      isAllowed: () => parts.gate.isStillAdmitted(visitor, 'viewer'),
    });
    return reply;
  });
}
