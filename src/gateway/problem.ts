// Answers of graygate's own: problem documents (RFC 9457), safe to show a client, never with anything from inside.
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorTable, type ErrorCode } from '../errors.ts';

export type Problem = {
  readonly code: ErrorCode;
  /** What was expected and what came; absent: the table's title says it all. */
  readonly detail?: string | undefined;
  readonly requestId?: string | undefined;
};

export type RenderedProblem = { readonly status: number; readonly headers: string[]; readonly body: string };

/** A problem's body and its raw headers, `Content-Length` included. */
export function renderProblem(problem: Problem): RenderedProblem {
  const { status, title } = errorTable[problem.code];
  const body = `${JSON.stringify({
    type: `urn:graygate:error:${problem.code}`,
    code: problem.code,
    title,
    status,
    ...(problem.detail === undefined ? {} : { detail: problem.detail }),
    ...(problem.requestId === undefined ? {} : { requestId: problem.requestId }),
  })}\n`;
  const headers = [
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    String(Buffer.byteLength(body)),
    'Cache-Control',
    'no-store',
  ];
  if (status === 503) headers.push('Retry-After', '1');
  return { status, headers, body };
}

/** How long a connection may linger after its last answer, so that the client can read it before a reset. */
const lingerMs = 5_000;

/** A problem as the last response of a connection that has no response object. */
export function problemBytes({ status, headers, body }: RenderedProblem): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}Connection: close\r\n\r\n${body}`;
}

/** Writes a problem on a connection that has no response object, and closes it. */
export function writeProblem(socket: Duplex, problem: RenderedProblem): void {
  closeGently(socket, problemBytes(problem));
}

/** Sends the last bytes and closes; what still comes in is thrown away (RFC 9112, 9.6). */
export function closeGently(socket: Duplex, lastBytes?: string): void {
  socket.end(lastBytes, 'latin1');
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  socket.once('end', () => socket.destroy());
}
