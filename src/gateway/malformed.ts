// Answers what the parser refuses, and keeps the requests of one connection apart: after an answer that closes a connection
// nothing that follows on it is served, and what is wrong with a later request does not fall on an earlier one.
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { closeGently, renderProblem, writeProblem } from './problem.ts';

/** The latest request of each connection. */
const latest = new WeakMap<object, Exchange>();

/** How many requests of a connection came before the one in front of them was answered. */
const pipelinedCounts = new WeakMap<object, number>();
/** More than these are refused: each would take a connection of its own to a server. */
const maxPipelinedCount = 100;

/**
 * Remembers the request as the latest of its connection until it is answered: an idle connection must not hold on to it. Returns false where
 * too many wait for answers already.
 */
export function tieToConnection(socket: object, exchange: Exchange): boolean {
  const isPipelined = isBusy(socket);
  latest.set(socket, exchange);
  exchange.onceAnswered(() => {
    const isDoneWith = !exchange.closesConnection && exchange.hasWholeRequest;
    if (isDoneWith && latest.get(socket) === exchange) latest.delete(socket);
  });
  if (!isPipelined) return true;
  const count = (pipelinedCounts.get(socket) ?? 0) + 1;
  pipelinedCounts.set(socket, count);
  exchange.onceAnswered(() => pipelinedCounts.set(socket, pipelinedCounts.get(socket)! - 1));
  return count < maxPipelinedCount;
}

/** Whether the connection is closed after an answer that it owes: no request on it may be served any more. */
export function isClosing(socket: object): boolean {
  return latest.get(socket)?.closesConnection === true;
}

/** Whether an earlier request on the connection is still to be answered. */
export function isBusy(socket: object): boolean {
  return latest.get(socket)?.record.isOpen === true;
}

/** Connections whose last answer is written or waits for its turn; what the parser still finds on them is of no interest. */
const answered = new WeakSet();

const codeByParserError: Readonly<Record<string, ErrorCode>> = {
  __proto__: null as never,
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/**
 * Handles a server's `clientError`. A connection that was reset, or that sent nothing in its time, is closed without a word.
 * Returns the code it answers with, null where it says nothing or a request under way says it.
 */
export function answerMalformed(error: Error & { code?: string }, socket: Socket): ErrorCode | null {
  if (answered.has(socket)) return null;
  if (!socket.writable || socket.bytesRead === 0) {
    socket.destroy();
    return null;
  }
  const code = codeByParserError[error.code ?? ''] ?? 'malformed-request';
  const exchange = latest.get(socket);
  // The rest of a request that was answered early has no answer of its own, and often no end.
  if (exchange !== undefined && !exchange.record.isOpen && !exchange.hasWholeRequest) {
    answered.add(socket);
    closeGently(socket);
    return null;
  }
  if (exchange === undefined || !exchange.record.isOpen) {
    answered.add(socket);
    writeProblem(socket, renderProblem({ code }));
    return code;
  }
  if (!exchange.hasWholeRequest) {
    exchange.breakOff(code);
    return null;
  }
  if (exchange.closesConnection) return null;
  answered.add(socket);
  exchange.onceAnswered(() => {
    if (socket.writable) writeProblem(socket, renderProblem({ code }));
  });
  return code;
}
