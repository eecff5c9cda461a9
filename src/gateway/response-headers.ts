// What a response carries back to the client: the server's headers in order and number, less hop-by-hop ones.
import { dropNamed, isHopByHop } from './hop-by-hop.ts';

/** Lengths of the names that are not simply passed on; most headers are told apart by this alone. */
const lengthsToLookAt: ReadonlySet<number> = new Set(
  ['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade', 'proxy-authenticate']
    .concat('proxy-authorization', 'x-graygate-version', 'trailer', 'http2-settings', 'content-length')
    .map((name) => name.length),
);

/**
 * Raw response headers, names and values in turn, from a server's raw header fields. `x-graygate-version` is the
 * gateway's to say, so a server's own is dropped; `Trailer` is kept only where trailers can follow: the server's body
 * is chunked, and `trailersCanFollow` says that the client's will be. What never has a body announces no length, which HTTP/2
 * takes for a fault and others could wait for (RFC 9110, 8.6).
 */
export function returnedHeaders(status: number, rawHeaders: readonly string[], trailersCanFollow: boolean): string[] {
  const headers: string[] = [];
  const hasNoBody = status < 200 || status === 204;
  let connection = '';
  let announced = -1;
  let isChunked = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (lengthsToLookAt.has(name.length)) {
      const lower = name.toLowerCase();
      if (lower === 'connection') connection += `,${rawHeaders[i + 1]!}`;
      else if (lower === 'transfer-encoding') isChunked = true;
      else if (lower === 'trailer') announced = headers.length;
      if (isHopByHop(lower) || lower === 'x-graygate-version' || (hasNoBody && lower === 'content-length')) continue;
    }
    headers.push(name, rawHeaders[i + 1]!);
  }
  if (announced !== -1 && !(isChunked && trailersCanFollow)) dropNamed(headers, 'trailer');
  if (connection !== '') dropNamed(headers, connection);
  return headers;
}

/** What must not come after a body, because readers act on it before the body (RFC 9110, 6.5.1). */
const notInTrailers: ReadonlySet<string> = new Set([
  'content-length',
  'host',
  'content-encoding',
  'content-type',
  'trailer',
  'x-graygate-version',
]);

/** Raw trailers, less what concerns the connection or the framing; null where none are left. */
export function passedTrailers(rawTrailers: readonly string[] | null): string[] | null {
  if (rawTrailers === null) return null;
  const trailers: string[] = [];
  for (let i = 0; i < rawTrailers.length; i += 2) {
    const lower = rawTrailers[i]!.toLowerCase();
    if (!isHopByHop(lower) && !notInTrailers.has(lower)) trailers.push(rawTrailers[i]!, rawTrailers[i + 1]!);
  }
  return trailers.length === 0 ? null : trailers;
}
