// Answers what the parser refuses. The connection is closed after the answer: nothing that follows on it can be trusted.
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { renderProblem, writeProblem } from './problem.ts';

/** The request under way on each connection, so that an error in its body is answered as its response. */
const underWay = new WeakMap<object, Exchange>();

/** Remembers the request that a connection is busy with. */
export function tieToConnection(socket: object, exchange: Exchange): void {
  underWay.set(socket, exchange);
}

/** Connections whose last answer is out; what the parser still finds on them is of no interest. */
const answered = new WeakSet();

const codeByParserError: Readonly<Record<string, ErrorCode>> = {
  __proto__: null as never,
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/**
 * Handles a server's `clientError`. A connection that was reset, or that sent nothing in its time, is closed without a word.
 * Returns the code it answered with, null where it said nothing or a request under way says it.
 */
export function answerMalformed(error: Error & { code?: string }, socket: Socket): ErrorCode | null {
  const code = codeByParserError[error.code ?? ''] ?? 'malformed-request';
  const exchange = underWay.get(socket);
  if (exchange !== undefined && exchange.isOpen) {
    exchange.refuse(code, { close: true });
    return null;
  }
  if (answered.has(socket)) return null;
  if (!socket.writable || error.code === 'ECONNRESET' || socket.bytesRead === 0) {
    socket.destroy();
    return null;
  }
  answered.add(socket);
  writeProblem(socket, renderProblem({ code }));
  return code;
}
