// Carries an upgraded connection (WebSocket): asks the server first, and only when it agrees does the client see the switch.
// A server that refuses is passed on as it answered, and the connection closes, so that nothing undecided can follow on it.
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FaultKind } from '../rollout/outcome.ts';
import { faultKindOf } from './faults.ts';
import { closeGently } from './problem.ts';
import { returnedHeaders } from './response-headers.ts';
import type { Connector } from './upstream/connector.ts';

/** Response headers larger than this are a protocol fault of the server. */
const maxResponseHeaderByteCount = 65_536;

export type TunnelInput = {
  /** Opens connections on which the server speaks HTTP/1.1. */
  readonly connector: Connector;
  readonly path: string;
  /** Raw headers towards the server, `Connection` and `Upgrade` not among them. */
  readonly headers: readonly string[];
  /** The protocols the client asked for: the `Upgrade` header's value. */
  readonly upgrade: string;
  readonly timeouts: { readonly connectMs: number; readonly responseMs: number; readonly idleMs: number };
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

/** The other end of a dead connection that never said so is noticed after about this long. */
const keepAliveMs = 60_000;

/** Opens a tunnel between a client's socket and a server. Returns the function that cuts it. */
export function openTunnel(client: Socket, head: Buffer, input: TunnelInput, owner: TunnelOwner): () => void {
  const { timeouts } = input;
  let settled = false;
  let timer: NodeJS.Timeout | undefined;
  let cutServer = input.connector.open(timeouts.connectMs, (fault, socket) => {
    if (socket === null) return fail(fault!.kind);
    timer = setTimeout(() => fail('timeout'), timeouts.responseMs);
    const upstream = ask(input, socket);
    cutServer = () => upstream.destroy();
    listen(upstream);
  });
  /** False where the tunnel was cut or failed before: then nobody waits for the answer. */
  const settle = (): boolean => {
    clearTimeout(timer);
    if (settled) return false;
    settled = true;
    return true;
  };
  const fail = (kind: FaultKind): void => {
    cutServer();
    if (settle()) owner.failed(kind);
  };
  /** The server switched to what nobody asked for, or does not say to what. */
  const disagree = (server: { destroy(): unknown }): void => {
    server.destroy();
    owner.failed('protocol');
  };
  const listen = (upstream: ClientRequest): void => {
    upstream.on('error', (error) => fail(faultKindOf(error, true)));
    upstream.on('upgrade', (answer, server, serverHead) => {
      if (!settle()) {
        server.destroy();
        return;
      }
      const chosen = answer.headers.upgrade!;
      if (chosen.toLowerCase() !== 'websocket') return disagree(server);
      const connection = ['Connection', 'Upgrade', 'Upgrade', chosen];
      client.write(renderHead(answer, input.addedHeaders, connection), 'latin1');
      owner.answered(101);
      joinStreams({ client, server, head, serverHead, idleMs: timeouts.idleMs }, owner);
    });
    upstream.on('response', (answer) => {
      if (!settle()) {
        answer.destroy();
        return;
      }
      if (answer.statusCode === 101) return disagree(answer);
      client.write(renderHead(answer, input.addedHeaders, ['Connection', 'close']), 'latin1');
      owner.answered(answer.statusCode!);
      passOn({ answer, client, idleMs: timeouts.idleMs }, owner);
    });
    upstream.end();
  };
  return () => {
    settle();
    cutServer();
  };
}

function ask({ path, headers, upgrade }: TunnelInput, socket: Socket): ClientRequest {
  return request({
    createConnection: () => socket,
    path,
    method: 'GET',
    setHost: false,
    maxHeaderSize: maxResponseHeaderByteCount,
    headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', upgrade],
  });
}

/** The body of a refusal, ended by the end of the connection: where it is not whole, the connection ends with a reset. */
function passOn(refusal: { answer: IncomingMessage; client: Socket; idleMs: number }, owner: TunnelOwner): void {
  const { answer, client, idleMs } = refusal;
  const breakOff = (kind: FaultKind): void => {
    owner.broke(kind);
    client.resetAndDestroy();
  };
  answer.setTimeout(idleMs, () => breakOff('timeout'));
  answer.on('data', (chunk: Buffer) => owner.receivedBytes(chunk.length));
  answer.on('error', (error) => breakOff(faultKindOf(error, true)));
  answer.on('end', () => closeGently(client));
  answer.pipe(client, { end: false });
}

type Ends = {
  readonly client: Socket;
  readonly server: Socket;
  readonly head: Buffer;
  readonly serverHead: Buffer;
  readonly idleMs: number;
};

/** Both directions, half-close included; when one side is gone the other is too, once it has what was sent to it. */
function joinStreams({ client, server, head, serverHead, idleMs }: Ends, owner: TunnelOwner): void {
  for (const socket of [client, server]) socket.setKeepAlive(true, keepAliveMs).setNoDelay(true);
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
  client.on('close', () => server.destroy());
  server.on('error', () => owner.broke('reset'));
  server.on('close', (hadError) => {
    if (hadError) {
      client.destroy();
      return;
    }
    client.setTimeout(idleMs, () => client.destroy());
    client.destroySoon();
  });
}

/** The head as the server sent it, less hop-by-hop headers, plus what the gateway adds. */
function renderHead(answer: IncomingMessage, added: readonly string[], connection: readonly string[]): string {
  const headers = [...returnedHeaders(answer.rawHeaders, false), ...added, ...connection];
  let head = `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}
