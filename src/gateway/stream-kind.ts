// Which answers stay open for long, told by their heads, and how one is ended before its time.
import { isGrpc } from './grpc.ts';
import { grpcStatuses } from '../rollout/grpc-status.ts';
import { findHeader } from './raw-headers.ts';

export type StreamKind = 'events' | 'grpc';

/** Null for an answer that ends by itself, or whose length was said, so that it cannot end before. */
export function streamKindOf(headers: readonly string[]): StreamKind | null {
  const contentType = findHeader(headers, 'content-type');
  if (contentType === undefined) return null;
  const kind = isGrpc(contentType) ? 'grpc' : /^text\/event-stream(?:$|[;\s])/i.test(contentType) ? 'events' : null;
  return kind === null || findHeader(headers, 'content-length') !== undefined ? null : kind;
}

/** Trailers that say that the call may be made again; server-sent events simply end, and their clients come back. */
export function lastTrailers(kind: StreamKind): readonly string[] | null {
  if (kind === 'events') return null;
  return ['grpc-status', String(grpcStatuses.unavailable), 'grpc-message', 'this version is being withdrawn'];
}
