// The admin port: health, metrics and the API. Nothing of it can be reached from the public port, and it decides nothing itself:
// what it knows and does is in the rooms behind `AdminParts`.
import { randomUUID } from 'node:crypto';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { AccessGate } from './access-gate.ts';
import { addActionRoutes } from './action-routes.ts';
import type { AdminInstance } from './admin-instance.ts';
import type { AdminParts } from './admin-parts.ts';
import { addDecideRoutes } from './decide-routes.ts';
import { addDifferenceRoutes } from './difference-routes.ts';
import { addEventRoutes } from './event-routes.ts';
import { addExperimentRoutes } from './experiment-routes.ts';
import { addHealthRoutes } from './health-routes.ts';
import { addLinkRoutes } from './link-routes.ts';
import { RouteMethods } from './route-methods.ts';
import { addOpenApiRoute, openApiOptions } from './open-api.ts';
import { addPolicyRoutes } from './policy-routes.ts';
import { createErrorHandler, sendProblem } from './problem.ts';
import { addRolloutRoutes } from './rollout-routes.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { guard } from './guard.ts';
import { addSignpostRoute } from './signpost-route.ts';
import { type StreamLimits, streamLimits } from './stream-hub.ts';
import { addStreamRoutes } from './stream-routes.ts';

const bodyBytes = 65_536;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
/** Signed links are long, and so are percent-encoded user IDs. */
const maxParamLength = 4_096;

/** Builds the instance; the caller listens and closes. Closing cuts what is still open, streams included. */
export function createAdmin(parts: AdminParts, limits: StreamLimits = streamLimits): FastifyInstance {
  const admin = Fastify({
    logger: false,
    forceCloseConnections: true,
    return503OnClosing: false,
    bodyLimit: bodyBytes,
    requestTimeout: requestTimeoutMs,
    http: { headersTimeout: headersTimeoutMs },
    routerOptions: { maxParamLength },
    genReqId: () => randomUUID(),
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (_error, _request, reply) => void sendProblem(reply, 'malformed-request', null),
  });
  admin.setValidatorCompiler(validatorCompiler);
  admin.setSerializerCompiler(serializerCompiler);
  admin.removeContentTypeParser('text/plain');
  const failed = (error: unknown, { method, id, routeOptions }: FastifyRequest): void =>
    parts.failed(error, { method, route: routeOptions.url ?? '', requestId: id });
  admin.setErrorHandler(createErrorHandler(failed));
  const methods = new RouteMethods();
  admin.addHook('onRoute', ({ method, url }) => methods.add(url, method));
  admin.setNotFoundHandler((request, reply) => {
    const allowed = methods.of(request.url);
    if (allowed.length === 0) return sendProblem(reply, 'not-found', `there is no ${request.url.split('?', 1)[0]}`);
    reply.header('allow', allowed.join(', '));
    return sendProblem(reply, 'method-not-allowed', `expected ${allowed.join(' or ')}, got ${request.method}`);
  });
  const gate = new AccessGate(parts.access);
  guard(admin, gate);
  admin.register(swagger, openApiOptions(parts.version));
  admin.register(async (scope) => addRoutes(scope.withTypeProvider<ZodTypeProvider>(), { ...parts, gate }, limits));
  return admin;
}

function addRoutes(app: AdminInstance, parts: AdminParts & { readonly gate: AccessGate }, limits: StreamLimits): void {
  const failed = (error: unknown): void =>
    parts.failed(error, { method: 'GET', route: '/api/v1/stream', requestId: '' });
  addSignpostRoute(app);
  addHealthRoutes(app, parts);
  addRolloutRoutes(app, parts);
  addDifferenceRoutes(app, parts);
  addActionRoutes(app, parts);
  addDecideRoutes(app, parts);
  addEventRoutes(app, parts);
  addExperimentRoutes(app, parts);
  addPolicyRoutes(app, parts);
  addStreamRoutes(app, { ...parts, failed }, limits);
  addOpenApiRoute(app);
  app.register(async (scope) => addLinkRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts));
}
