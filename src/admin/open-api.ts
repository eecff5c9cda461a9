// The API's own description, made from the shapes that it validates and answers with.
import type { SwaggerOptions } from '@fastify/swagger';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type AdminInstance, problemResponses } from './admin-instance.ts';

/** What the document says besides the routes. */
export function openApiOptions(version: string): SwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'graygate admin API',
        version,
        description:
          'Times are milliseconds since 1970. Errors are problem documents (RFC 9457). Without admin.tokens in the policy only this machine may ask.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
  };
}

/** `GET /api/openapi.json`. */
export function addOpenApiRoute(app: AdminInstance): void {
  const schema = {
    tags: ['health'],
    summary: 'This document',
    response: { 200: z.looseObject({ openapi: z.string(), paths: z.looseObject({}) }), ...problemResponses() },
  };
  app.get('/api/openapi.json', { config: { role: 'viewer' }, schema }, () => app.swagger() as never);
}
