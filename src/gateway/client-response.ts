// The last steps of a response towards the client, beyond what the platform does by itself. Holds no state of its own.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { breakConnection } from './client/break-connection.ts';
import { closeGently } from './problem.ts';
import { passedTrailers, returnedHeaders } from './response-headers.ts';
import { giveBackChunk } from './upstream/slabs.ts';

/** Sends the head by itself, unless a body that came in the same turn has taken it along. */
export function flushHead(response: ServerResponse): void {
  if (!response.writableEnded && !response.destroyed) response.flushHeaders();
}

/** Whether the body's end is marked in the body, so that trailers can follow it; to be asked before the head is written. */
export function canCarryTrailers(request: IncomingMessage, status: number): boolean {
  return request.httpVersionMinor === 1 && request.method !== 'HEAD' && status !== 204 && status !== 304;
}

/** Passes on a 1xx. 100 is the gateway's own to send; HTTP/1.0 knows no interim responses (RFC 9110, 15.2). */
export function passOnInterim(
  request: IncomingMessage,
  response: ServerResponse,
  { status, rawHeaders }: { status: number; rawHeaders: readonly string[] },
): void {
  if (status === 100 || request.httpVersionMinor === 0) return;
  response.writeInformation(status, returnedHeaders(status, rawHeaders, false));
}

/**
 * Resumes when the client has taken what it was given, and gives up on one that takes nothing for as long as its socket's
 * timeout says: it must not hold a server's connection for ever.
 */
export function watchSlowClient(
  request: IncomingMessage,
  response: ServerResponse,
  actions: { resume(): void; giveUp(): void },
): void {
  response.on('drain', () => {
    if (request.complete) request.socket.setTimeout(0);
    actions.resume();
  });
  response.on('timeout', () => {
    if (response.writableNeedDrain) actions.giveUp();
  });
}

const mostTextByteCount = 4_096;

/** Ends a body with its last piece, if any; trailers are dropped where the framing cannot carry them. */
export function endBody(response: ServerResponse, last: Buffer | null, rawTrailers: readonly string[] | null): void {
  const trailers = passedTrailers(rawTrailers);
  if (trailers !== null) response.addTrailers(pairsOf(trailers));
  if (last === null) response.end();
  // As text it goes into one string with the head, which is cheaper to write than two pieces.
  else if (last.length <= mostTextByteCount) response.end(last.toString('latin1'), 'latin1');
  else response.end(last, () => giveBackChunk(last));
}

function pairsOf(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2]!, raw[index * 2 + 1]!]);
}

/**
 * Closes the connection so that the client sees that the body is not whole. To an HTTP/1.0 client an orderly end of the
 * connection would be the end of the body.
 */
export function cutResponse(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersionMinor === 0) breakConnection(request.socket);
  response.destroy();
}

/**
 * Has the platform close a connection gently after its last answer: it would close at once, and what the client is still
 * sending would turn that into a reset that can take the answer away with it.
 */
export function lingerBeforeClose(socket: Socket): void {
  socket.destroySoon = () => closeGently(socket);
}
