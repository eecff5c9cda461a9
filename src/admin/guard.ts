// What every request passes before its route: the headers of every answer, who may ask, and what a write must be.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraygateError } from '../errors.ts';
import type { AccessGate } from './access-gate.ts';

/** For answers that no page shows; a page that is served here sets its own. */
const safeHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': `default-src 'none'; frame-ancestors 'none'`,
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** Methods without a body. No page of another site can send a DELETE without asking first either. */
const bodilessMethods = new Set(['GET', 'HEAD', 'DELETE']);
const json = /^application\/json\s*(;|$)/i;
const form = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** Hooks the checks in front of everything that is added to the instance. */
export function guard(admin: FastifyInstance, gate: AccessGate): void {
  admin.decorateRequest('by', '');
  admin.addHook('onRequest', async (request, reply) => {
    reply.headers(safeHeaders);
    admitOrThrow(gate, request, reply);
    requireBodyType(request);
  });
}

function admitOrThrow(gate: AccessGate, request: FastifyRequest, reply: FastifyReply): void {
  const { role, takesForm } = request.routeOptions.config;
  if (role === undefined && takesForm !== true) return;
  const visitor = { peer: request.socket.remoteAddress ?? '', headers: request.headers };
  const admission = role === undefined ? gate.admitPage(visitor) : gate.admit(visitor, role, Date.now());
  if (admission.ok) {
    request.by = admission.by;
    return;
  }
  reply.headers(admission.headers);
  throw admission.error;
}

/** No page of another site can send JSON without asking first, and nobody answers that question with yes. */
function requireBodyType({ method, headers, routeOptions }: FastifyRequest): void {
  if (bodilessMethods.has(method) || routeOptions.url === undefined) return;
  const takesForm = routeOptions.config.takesForm === true;
  if (!(takesForm ? form : json).test(headers['content-type'] ?? ''))
    throw unsupported(`content-type ${takesForm ? 'application/x-www-form-urlencoded' : 'application/json'}`);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw unsupported('a body without content-encoding');
}

function unsupported(expected: string): GraygateError {
  return new GraygateError('unsupported-media-type', `expected ${expected}`);
}
