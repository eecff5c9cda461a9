// WebSocket servers and clients by the `ws` package, for tests of the tunnel.
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { TlsOptions } from 'node:tls';
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws';
import type { TestContext } from './gateways.ts';

export type EchoServer = {
  readonly origin: string;
  readonly handshakes: IncomingMessage[];
  readonly sockets: WebSocket[];
};

/**
 * Answers every message with the name, a colon and the message; chooses the last subprotocol that is offered. With `tls` it
 * listens with TLS.
 */
export async function startEchoServer(context: TestContext, name: string, tls?: TlsOptions): Promise<EchoServer> {
  const carrier = tls === undefined ? createServer() : createSecureServer(tls);
  const server = new WebSocketServer({ server: carrier, handleProtocols: lastOffered });
  carrier.listen(0, '127.0.0.1');
  await once(carrier, 'listening');
  const handshakes: IncomingMessage[] = [];
  const sockets: WebSocket[] = [];
  server.on('connection', (socket, request) => {
    handshakes.push(request);
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer, isBinary) => {
      socket.send(isBinary ? data : `${name}:${data.toString()}`, { binary: isBinary });
    });
  });
  context.after(() => {
    for (const socket of sockets) socket.terminate();
    server.close();
    carrier.close();
  });
  const { port } = carrier.address() as AddressInfo;
  return { origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, handshakes, sockets };
}

function lastOffered(offered: Set<string>): string | false {
  return [...offered].at(-1) ?? false;
}

/** A client that is connected; rejects with the message of `ws` when it is refused. */
export async function openWebSocket(
  context: TestContext,
  url: string,
  options: ClientOptions & { protocols?: string[] } = {},
): Promise<WebSocket & { handshake: IncomingMessage }> {
  const { protocols = [], ...rest } = options;
  const socket = new WebSocket(url.replace(/^http/, 'ws'), protocols, rest);
  context.after(() => socket.terminate());
  const upgraded = once(socket, 'upgrade');
  upgraded.catch(() => undefined);
  await once(socket, 'open');
  const [handshake] = (await upgraded) as [IncomingMessage];
  return Object.assign(socket, { handshake });
}

/** Sends one message and hands back the next one that comes. */
export async function exchangeMessages(socket: WebSocket, message: string | Buffer): Promise<Buffer> {
  const answer = once(socket, 'message');
  socket.send(message);
  const [data] = (await answer) as [Buffer];
  return data;
}
