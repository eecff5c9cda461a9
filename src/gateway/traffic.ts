// The public port: a Fastify instance with the proxy plugin mounted once, whose every request goes to the same handler.
// No other route exists here. Fastify sees one constant path; matching and forwarding use the request's own target.
import { METHODS, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import httpProxy, { type FastifyHttpProxyOptions } from '@fastify/http-proxy';
import Fastify, { type FastifyInstance } from 'fastify';
import { errorTable } from '../errors.ts';
import type { Policy } from '../rollout/policy.ts';
import type { Http2Request } from './client/http2-request.ts';
import { Http2Sessions } from './client/http2-sessions.ts';
import { Connections } from './connections.ts';
import { connectionRoom } from './ingress/connection-room.ts';
import { sniffPreface } from './ingress/preface-sniff.ts';
import { TlsFront, type TlsHandler } from './ingress/tls-front.ts';
import { answerMalformed, isBusy } from './malformed.ts';
import { renderProblem, writeProblem } from './problem.ts';
import { hasBody } from './request-body.ts';

/** Takes the requests of the public port. */
export interface TrafficHandler {
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  onUpgrade(request: IncomingMessage, client: Socket, head: Buffer): void;
  /** A request of HTTP/2. */
  onStream(stream: ServerHttp2Stream, request: Http2Request): void;
  /** A request that never became one: the parser refused it. */
  onMalformed(status: number): void;
  /** What the keys of TLS sessions are made from; undefined: chance. */
  readonly ticketSecret: Uint8Array | undefined;
}

/** Fastify keeps the target that it rewrote beside the one it routes by. */
type RewrittenRequest = IncomingMessage & { originalUrl: string };

type TrafficSettings = Pick<Policy, 'limits' | 'timeouts' | 'tls'>;

/** The instance, for the caller to listen with and to close, and what stands before it. */
export type Traffic = {
  readonly fastify: FastifyInstance;
  readonly connections: Connections;
  readonly front: TlsFront;
  readonly http2: Http2Sessions;
  /** As many client connections as leave enough for those to servers. */
  readonly room: number;
};

/** Builds the instance. */
export async function createTraffic(policy: TrafficSettings, handler: TrafficHandler): Promise<Traffic> {
  const { limits, timeouts } = policy;
  const traffic = Fastify({
    logger: false,
    requestIdHeader: false,
    genReqId: () => '',
    rewriteUrl: () => '/',
    exposeHeadRoutes: false,
    return503OnClosing: false,
    // Node's own limits; bodies are streamed and counted by the exchange.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    keepAliveTimeout: timeouts.idleMs,
    requestTimeout: 0,
    clientErrorHandler: (error, socket) => countMalformed(handler, error, socket),
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: timeouts.headerMs,
      connectionsCheckingInterval: Math.min(1_000, Math.max(50, timeouts.headerMs / 4)),
      // The absence of a Host is answered by the gateway, as a problem document.
      requireHostHeader: false,
      // A client that offers any other protocol (h2c) is answered in this one.
      shouldUpgradeCallback: isWebSocketHandshake,
    },
  });
  const built = { ...standBefore(traffic, handler), room: await connectionRoom() };
  tuneTraffic(built, policy);
  listenBesideRequests(traffic.server, handler);
  // Every method without a body, as Fastify sees it: it must never look at one.
  const methods = METHODS.filter((method) => method !== 'CONNECT');
  for (const method of methods) traffic.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  traffic.removeAllContentTypeParsers();
  // The plugin's types do not know an upstream that is decided per request.
  const options: object = {
    upstream: '',
    httpMethods: methods,
    proxyPayloads: false,
    replyOptions: { getUpstream: () => 'http://decided.per.request' },
    // Before the plugin's own handler, which would parse six URLs to look for what a constant path cannot hold.
    preHandler(request: { raw: RewrittenRequest }, reply: { raw: ServerResponse; hijack(): void }) {
      reply.hijack();
      request.raw.url = request.raw.originalUrl;
      handler.onRequest(request.raw, reply.raw);
    },
  };
  await traffic.register(httpProxy, options as FastifyHttpProxyOptions);
  return built;
}

/** Brings the limits of a policy into force for new connections. */
export function tuneTraffic(
  { fastify: { server }, connections, front, http2, room }: Traffic,
  policy: TrafficSettings,
): void {
  const { limits, timeouts, tls } = policy;
  // Node drops headers beyond a count without a word; the size limit is what bounds them.
  server.maxHeadersCount = 0;
  server.keepAliveTimeout = timeouts.idleMs;
  server.headersTimeout = timeouts.headerMs;
  Object.assign(server, { maxHeaderSize: limits.headerBytes });
  connections.maxCount = Math.min(limits.connections, room);
  connections.maxPerSecond = limits.connectionsPerSecond;
  front.adopt(tls, timeouts.headerMs);
  http2.tune({ headerBytes: limits.headerBytes, headerMs: timeouts.headerMs, idleMs: timeouts.idleMs });
}

/** Has every connection counted, and decrypted where the policy says so, before the server sees it. */
function standBefore(fastify: FastifyInstance, handler: TrafficHandler): Omit<Traffic, 'room'> {
  const { server } = fastify;
  const onRefused = (status: number): void => handler.onMalformed(status);
  const connections = new Connections(onRefused);
  const serveHttp1 = server.listeners('connection') as ((socket: Socket) => void)[];
  const toHttp1 = (socket: Socket): void => serveHttp1.forEach((serve) => serve.call(server, socket));
  const http2 = new Http2Sessions({
    onStream: (stream, request) => handler.onStream(stream, request),
    onMalformed: () => onRefused(errorTable['malformed-request'].status),
  });
  const tlsHandler: TlsHandler = {
    onHttp1(socket) {
      connections.decrypted(socket);
      toHttp1(socket);
    },
    onHttp2: (socket) => http2.accept(socket),
    onFailed: onRefused,
  };
  const front = new TlsFront(tlsHandler, handler.ticketSecret);
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (!connections.admit(socket, { isPlain: !front.isOn })) return;
    if (front.isOn) front.accept(socket);
    else sniffPreface(socket, server.headersTimeout, { onHttp2: (plain) => http2.accept(plain), onOther: toHttp1 });
  });
  return { fastify, connections, front, http2 };
}

function listenBesideRequests(server: HttpServer, handler: TrafficHandler): void {
  server.on('upgrade', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    if (!refuseBehindOther(handler, client as Socket)) handler.onUpgrade(request, client as Socket, head);
  });
  server.on('connect', (_request: IncomingMessage, client: Duplex) => {
    if (refuseBehindOther(handler, client as Socket)) return;
    client.on('error', () => client.destroy());
    const problem = renderProblem({ code: 'method-not-supported', detail: 'CONNECT is for forward proxies' });
    handler.onMalformed(problem.status);
    writeProblem(client, problem);
  });
  // "100 Continue" is sent when a server asks for the body, not before; another expectation is refused like any other fault.
  for (const event of ['checkContinue', 'checkExpectation']) {
    server.on(event, (request, response) => server.emit('request', request, response));
  }
}

/** What takes the connection over cannot wait behind a request whose answer it still owes. */
function refuseBehindOther(handler: TrafficHandler, client: Socket): boolean {
  if (!isBusy(client)) return false;
  handler.onMalformed(errorTable['malformed-request'].status);
  client.on('error', () => client.destroy());
  client.destroySoon();
  return true;
}

/**
 * A request with a body, or of HTTP/1.0, is not one: its `Upgrade` is ignored as the offer that it is (RFC 9110, 7.8). Nor is
 * one that offers another protocol beside: a server that chose it (h2c) would speak with the client past the gateway.
 */
function isWebSocketHandshake(request: IncomingMessage): boolean {
  const { method, headers, httpVersionMinor } = request;
  const asks = headers.upgrade?.trim().toLowerCase() === 'websocket';
  return asks && method === 'GET' && httpVersionMinor === 1 && !hasBody(request);
}

function countMalformed(handler: TrafficHandler, error: Error, socket: Socket): void {
  const code = answerMalformed(error, socket);
  if (code !== null) handler.onMalformed(renderProblem({ code }).status);
}
