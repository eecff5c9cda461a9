// Every failure of the admin port as a problem document (RFC 9457): what is expected and what came, never what is inside.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { errorTable, type ErrorCode, GraygateError } from '../errors.ts';
import { countOf } from '../rollout/wording.ts';
import type { Problem } from './contract.ts';

export const problemType = 'application/problem+json';

/** The document of a code; a detail that only repeats the title is left out. */
export function problemOf(code: ErrorCode, detail: string | null, requestId: string): Problem {
  const { status, title } = errorTable[code];
  const base = { type: `urn:graygate:error:${code}`, title, status, code, requestId };
  return detail === null || detail === title ? base : { ...base, detail };
}

/** Answers with a problem; headers that were set before stay. */
export function sendProblem(reply: FastifyReply, code: ErrorCode, detail: string | null): FastifyReply {
  const problem = problemOf(code, detail, reply.request.id);
  if ((problem.status === 503 || problem.status === 429) && !reply.hasHeader('retry-after'))
    reply.header('retry-after', '1');
  return reply.code(problem.status).type(problemType).send(JSON.stringify(problem));
}

/** What Fastify and the handlers throw, as a code and a detail; null: a fault of graygate's own. */
export function problemIn(error: unknown): { readonly code: ErrorCode; readonly detail: string | null } | null {
  if (error instanceof GraygateError && error.status > 0) return { code: error.code, detail: error.message };
  if (hasZodFastifySchemaValidationErrors(error)) return { code: 'invalid-input', detail: invalidDetail(error) };
  const { code, statusCode } = error as FastifyError;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'body-too-large', detail: null };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { code: 'unsupported-media-type', detail: null };
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return { code: 'invalid-input', detail: 'expected a body that is JSON' };
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'FST_ERR_BAD_URL':
      return { code: 'malformed-request', detail: null };
    default:
      return statusCode === 400 ? { code: 'invalid-input', detail: 'expected a body that is JSON' } : null;
  }
}

/** For Fastify: `failed` hears of what nobody expected. */
export function createErrorHandler(failed: (error: unknown, request: FastifyRequest) => void) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const known = problemIn(error);
    if (known === null) failed(error, request);
    const detail = known?.code === 'body-too-large' ? sizeDetail(request) : (known?.detail ?? null);
    return sendProblem(reply, known?.code ?? 'internal', detail);
  };
}

/** Of a body whose length was not said before it came, only that it is more is known. */
function sizeDetail({ routeOptions, headers }: FastifyRequest): string {
  const came = headers['content-length'];
  return `body: expected at most ${countOf(routeOptions.bodyLimit)} bytes, got ${came === undefined ? 'more' : countOf(Number(came))}`;
}

function invalidDetail({
  validation,
  validationContext,
}: {
  readonly validation: readonly { readonly instancePath: string; readonly message?: string | undefined }[];
  readonly validationContext?: string | undefined;
}): string {
  const faults = validation.map(({ instancePath, message = 'is not valid' }) => {
    const path = instancePath.slice(1).replaceAll('/', '.');
    return `${path === '' ? '' : `${path}: `}${message.charAt(0).toLowerCase()}${message.slice(1)}`;
  });
  return `${validationContext ?? 'request'}: ${faults.join('; ')}`;
}
