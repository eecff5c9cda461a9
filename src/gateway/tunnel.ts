// Carries an upgraded connection (WebSocket): asks the server first, and only when it agrees does the client see the switch.
// A server that refuses is passed on as it answered, and the connection closes, so that nothing undecided can follow on it.
import { request as connect, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FaultKind } from '../rollout/outcome.ts';
import { faultKindOf } from './faults.ts';
import { closeGently } from './problem.ts';
import { returnedHeaders } from './response-headers.ts';

export type TunnelInput = {
  readonly origin: string;
  readonly path: string;
  /** Raw headers towards the server, `Connection` and `Upgrade` not among them. */
  readonly headers: readonly string[];
  /** The protocols the client asked for: the `Upgrade` header's value. */
  readonly upgrade: string;
  readonly connectMs: number;
  readonly responseMs: number;
  /** Raw headers that the client is given besides the server's. */
  readonly addedHeaders: readonly string[];
};

/** What happens in a tunnel, each at most once but for the byte counts. */
export interface TunnelOwner {
  /** The server failed before it answered: the request may go elsewhere. */
  failed(kind: FaultKind): void;
  /** The head of the server's answer is on its way to the client. */
  answered(status: number): void;
  /** The server broke off after it had answered. */
  broke(kind: FaultKind): void;
  sentBytes(byteCount: number): void;
  receivedBytes(byteCount: number): void;
}

/** Opens a tunnel between a client's socket and a server. Returns the function that cuts it. */
export function openTunnel(client: Duplex, head: Buffer, input: TunnelInput, owner: TunnelOwner): () => void {
  const { hostname, port } = new URL(input.origin);
  const upstream = connect({
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 80 : Number(port),
    path: input.path,
    method: 'GET',
    agent: false,
    setHost: false,
    headers: [...input.headers, 'Connection', 'Upgrade', 'Upgrade', input.upgrade],
  });
  let settled = false;
  let connected = false;
  let timer = setTimeout(() => fail('timeout'), input.connectMs);
  const fail = (kind: FaultKind): void => {
    clearTimeout(timer);
    upstream.destroy();
    if (settled) return;
    settled = true;
    owner.failed(kind);
  };
  upstream.on('socket', (socket) => {
    socket.on('connect', () => {
      connected = true;
      clearTimeout(timer);
      timer = setTimeout(() => fail('timeout'), input.responseMs);
    });
  });
  upstream.on('error', (error) => fail(faultKindOf(error, connected)));
  upstream.on('upgrade', (answer, server, serverHead) => {
    clearTimeout(timer);
    if (settled) return void server.destroy();
    settled = true;
    client.write(renderHead(answer, input.addedHeaders, ['Connection', 'Upgrade', 'Upgrade', answer.headers.upgrade!]), 'latin1');
    owner.answered(101);
    joinStreams({ client, server, head, serverHead }, owner);
  });
  upstream.on('response', (answer) => {
    clearTimeout(timer);
    if (settled) return void answer.destroy();
    settled = true;
    client.write(renderHead(answer, input.addedHeaders, ['Connection', 'close']), 'latin1');
    owner.answered(answer.statusCode!);
    answer.on('data', (chunk: Buffer) => owner.receivedBytes(chunk.length));
    answer.on('error', () => {
      owner.broke('reset');
      client.destroy();
    });
    answer.on('end', () => closeGently(client));
    answer.pipe(client, { end: false });
  });
  upstream.end();
  return () => {
    settled = true;
    clearTimeout(timer);
    upstream.destroy();
  };
}

type Ends = { readonly client: Duplex; readonly server: Duplex; readonly head: Buffer; readonly serverHead: Buffer };

/** Both directions, half-close included; when one side is gone the other is too. */
function joinStreams({ client, server, head, serverHead }: Ends, owner: TunnelOwner): void {
  if (serverHead.length > 0) {
    owner.receivedBytes(serverHead.length);
    client.write(serverHead);
  }
  if (head.length > 0) {
    owner.sentBytes(head.length);
    server.write(head);
  }
  client.on('data', (chunk: Buffer) => owner.sentBytes(chunk.length));
  server.on('data', (chunk: Buffer) => owner.receivedBytes(chunk.length));
  client.pipe(server);
  server.pipe(client);
  let clientGone = false;
  client.on('close', () => {
    clientGone = true;
    server.destroy();
  });
  server.on('error', () => {
    if (!clientGone) owner.broke('reset');
  });
  server.on('close', () => client.destroy());
}

/** The head as the server sent it, less hop-by-hop headers, plus what the gateway adds. */
function renderHead(answer: IncomingMessage, added: readonly string[], connection: readonly string[]): string {
  const raw = answer.rawHeaders.map((text) => Buffer.from(text, 'latin1'));
  const headers = [...returnedHeaders(raw), ...added, ...connection];
  let head = `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}
