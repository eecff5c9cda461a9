// gRPC over HTTP/2, as far as a gateway reads it: which requests and answers are gRPC, how an answer ended, and answers of
// graygate's own that such clients understand. Bodies are never looked at.
import type { ErrorCode } from '../errors.ts';
import { grpcStatuses } from '../rollout/grpc-status.ts';
import { type Problem, renderProblem, type RenderedProblem } from './problem.ts';
import { findHeader } from './raw-headers.ts';

/** `application/grpc` and its encodings (`+proto`); gRPC-Web is plain HTTP with a body of its own. */
export function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:$|[+;])/i.test(contentType);
}

/** The status in trailers, or in a head that stands for them; null where there is none. */
export function grpcStatusIn(rawFields: readonly string[]): number | null {
  const text = findHeader(rawFields, 'grpc-status');
  if (text === undefined) return null;
  return /^\d{1,3}$/.test(text) ? Number(text) : grpcStatuses.unknown;
}

export type RenderedGrpcProblem = RenderedProblem & { readonly grpcStatus: number };

/** A problem as gRPC says it: HTTP status 200, no body, the status where trailers would be. */
export function renderGrpcProblem(problem: Problem): RenderedGrpcProblem {
  const { status, body } = renderProblem(problem);
  const { title, detail } = JSON.parse(body) as { title: string; detail?: string };
  const grpcStatus = statusByCode[problem.code] ?? statusOfHttp(status);
  const message = detail === undefined ? title : `${title}: ${detail}`;
  const headers = ['Content-Type', 'application/grpc', 'Grpc-Status', String(grpcStatus)];
  headers.push('Grpc-Message', packMessage(message));
  return { status: 200, headers, body: '', grpcStatus };
}

const statusByCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  'upstream-timeout': grpcStatuses.deadlineExceeded,
  'body-too-large': grpcStatuses.resourceExhausted,
  'headers-too-large': grpcStatuses.resourceExhausted,
  'method-not-supported': grpcStatuses.unimplemented,
};

/** For statuses that say no more (gRPC core, `http-grpc-status-mapping.md`). */
function statusOfHttp(status: number): number {
  if (status === 400) return grpcStatuses.internal;
  if (status === 404) return grpcStatuses.unimplemented;
  return status === 502 || status === 503 || status === 504 ? grpcStatuses.unavailable : grpcStatuses.unknown;
}

/** Percent-encoded but for what is visible in ASCII (gRPC over HTTP/2, `Status-Message`). */
function packMessage(message: string): string {
  return Buffer.from(message, 'utf8')
    .toString('latin1')
    .replaceAll(/[^ -$&-~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
