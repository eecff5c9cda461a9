// WebSocket servers and clients by the `ws` package, for tests of the tunnel.
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws';
import type { TestContext } from './gateways.ts';

export type EchoServer = {
  readonly origin: string;
  readonly handshakes: IncomingMessage[];
  readonly sockets: WebSocket[];
};

/** Answers every message with the name, a colon and the message; chooses the last subprotocol that is offered. */
export async function startEchoServer(context: TestContext, name: string): Promise<EchoServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: lastOffered });
  await once(server, 'listening');
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
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, handshakes, sockets };
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
