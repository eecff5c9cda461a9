// Servers of every protocol that say, in the marks of their bodies, to which request an answer belongs, and look at the marks of
// what they were sent. What an answer is like is asked for in the request's query.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { constants, createServer as createHttp2Server, type Http2ServerResponse } from 'node:http2';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { pemOf } from './certificates.ts';
import { once } from 'node:events';
import type { TestContext } from './gateways.ts';
import { markedBody, piecesOf, seededNumbers } from './marked-bodies.ts';

export type ServerKind = 'h1' | 'h1-tls' | 'h2';

/** What a request asks for. The marks of the two bodies are twice its number, and one more. */
export type Plan = {
  readonly number: number;
  readonly method: string;
  /** Of the request's body; -1: there is none. */
  readonly sentByteCount: number;
  readonly byteCount: number;
  readonly framing: 'length' | 'chunks' | 'close';
  /** The server breaks off after so many bytes, -1 before the head; null: it does not. */
  readonly cutAt: number | null;
  /** It answers without a look at the request's body. */
  readonly isEarly: boolean;
};

export type MarkedServer = {
  readonly kind: ServerKind;
  readonly origin: string;
  /** What was wrong with what it was sent. */
  readonly complaints: string[];
  /** Requests that are not over. */
  readonly openCount: () => number;
};

/** Runs until the test ends. */
export async function startMarkedServer(context: TestContext, kind: ServerKind): Promise<MarkedServer> {
  const complaints: string[] = [];
  let openCount = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    openCount += 1;
    response.on('close', () => (openCount -= 1));
    const plan = JSON.parse(decodeURIComponent(request.url!.slice(2))) as Plan;
    const isSent = readBody(request, plan, complaints);
    if (plan.isEarly) void respond(response, plan);
    else void isSent.then((isWhole) => (isWhole ? respond(response, plan) : undefined));
  };
  const server = listenerOf(kind, answer);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const origin = `${kind === 'h1-tls' ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { kind, origin, complaints, openCount: () => openCount };
}

function listenerOf(kind: ServerKind, answer: RequestListener): Server {
  const patient = { keepAliveTimeout: 60_000, noDelay: true };
  if (kind === 'h1') return createServer(patient, answer);
  if (kind === 'h1-tls')
    return createSecureServer({ ...patient, cert: pemOf('shop.pem'), key: pemOf('shop.key') }, answer);
  return createHttp2Server(answer as never);
}

/** Whether the request came to its end. */
async function readBody(request: IncomingMessage, plan: Plan, complaints: string[]): Promise<boolean> {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  const isWhole = await new Promise<boolean>((resolve) => {
    request.on('end', () => resolve(true));
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
    request.on('aborted', () => resolve(false));
  });
  const expected = markedBody(2 * plan.number, Math.max(0, plan.sentByteCount));
  const bytes = Buffer.concat(chunks);
  const isRight = isWhole ? bytes.equals(expected) : expected.subarray(0, bytes.length).equals(bytes);
  if (!isRight)
    complaints.push(`request ${plan.number}: ${bytes.length} of ${expected.length} bytes, whole: ${isWhole}`);
  return isWhole;
}

async function respond(response: ServerResponse, plan: Plan): Promise<void> {
  const { number, byteCount, framing, cutAt, method } = plan;
  if (cutAt === -1) return cut(response);
  response.setHeader('x-number', number);
  if (framing === 'length') response.setHeader('content-length', byteCount);
  // Without a head of its own an empty answer would be given a length.
  else if (framing === 'chunks') response.flushHeaders();
  else if (framing === 'close' && response.req.httpVersionMajor === 1) {
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
  }
  const body = markedBody(2 * number + 1, method === 'HEAD' ? 0 : byteCount).subarray(0, cutAt ?? undefined);
  for (const piece of piecesOf(body, seededNumbers(number))) {
    if (response.destroyed) return;
    if (!response.write(piece))
      await Promise.race([once(response, 'drain'), once(response, 'close')]).catch(() => undefined);
  }
  if (response.destroyed) return;
  // In the same turn the platform could send empty frames for ever (Node 24.21: two writes and a close while it reads).
  if (cutAt !== null) return void setImmediate(() => setImmediate(() => cut(response)));
  if (framing === 'chunks') response.addTrailers({ 'x-sum': String(number) });
  response.end();
}

/** So that it cannot be taken for an end, which a mere end of the connection could. */
function cut(response: ServerResponse): void {
  const { stream } = response as unknown as Http2ServerResponse;
  if (stream !== undefined) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else if ('encrypted' in response.socket!) response.socket.destroy();
  else response.socket!.resetAndDestroy();
}
