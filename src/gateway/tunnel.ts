// Carries an upgraded connection (WebSocket): asks the server first, and only when it agrees does the client see the switch.
// A server that refuses is passed on as it answered, and the connection closes, so that nothing undecided can follow on it.
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FaultKind } from '../rollout/outcome.ts';
import type { TunnelEnd } from './client/tunnel-end.ts';
import { faultKindOf } from './faults.ts';
import { dropNamed } from './hop-by-hop.ts';
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
  readonly timeouts: { readonly connectMs: number; readonly responseMs: number; readonly idleMs: number };
  /** Raw headers that the client is given besides the server's. */
  readonly addedHeaders: readonly string[];
};

/** What happens in a tunnel, each at most once but for the byte counts. */
export interface TunnelOwner {
  /** The server failed before it answered: the request may go elsewhere. */
  failed(kind: FaultKind, error: unknown): void;
  /** The head of the server's answer is on its way to the client. */
  answered(status: number): void;
  /** The server broke off after it had answered. */
  broke(kind: FaultKind): void;
  sentBytes(byteCount: number): void;
  receivedBytes(byteCount: number): void;
}

/** The other end of a dead connection that never said so is noticed after about this long. */
const keepAliveMs = 60_000;

export type Tunnel = {
  /** Cuts it on the server's side; what comes later is nobody's. */
  cut(): void;
  /** Tells the server that the client is gone: what it still says reaches the client before that is told the same. */
  end(): void;
};

/** A server that was told that the client is gone may take so long to end its side. */
const lastWordsMs = 5_000;

/** Opens a tunnel between a client and a server. */
export function openTunnel(client: TunnelEnd, input: TunnelInput, owner: TunnelOwner): Tunnel {
  const { timeouts } = input;
  let settled = false;
  let timer: NodeJS.Timeout | undefined;
  let endServer: (() => void) | null = null;
  let cutServer = input.connector.open(timeouts.connectMs, (fault, socket) => {
    if (socket === null) return fail(fault!.kind, fault);
    timer = setTimeout(() => fail('timeout'), timeouts.responseMs);
    const upstream = ask(client, input, socket);
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
  const fail = (kind: FaultKind, error: unknown = null): void => {
    cutServer();
    if (settle()) owner.failed(kind, error);
  };
  /** The server switched to what nobody asked for, or does not say to what. */
  const disagree = (server: { destroy(): unknown }): void => {
    server.destroy();
    owner.failed('protocol', null);
  };
  const listen = (upstream: ClientRequest): void => {
    upstream.on('error', (error) => fail(faultKindOf(error, true)));
    upstream.on('upgrade', (answer, server, serverHead) => {
      if (!settle()) {
        server.destroy();
        return;
      }
      if (!client.isAgreed(answer)) return disagree(server);
      client.accept(answer, [...returnedHeaders(101, answer.rawHeaders, false), ...input.addedHeaders]);
      owner.answered(101);
      endServer = () => endBehind(client, server);
      joinStreams({ client, server, serverHead, idleMs: timeouts.idleMs }, owner);
    });
    upstream.on('response', (answer) => {
      if (!settle()) {
        answer.destroy();
        return;
      }
      if (answer.statusCode === 101 || !client.canDecline(answer.statusCode!)) return disagree(answer);
      client.decline(answer, [...returnedHeaders(answer.statusCode!, answer.rawHeaders, false), ...input.addedHeaders]);
      owner.answered(answer.statusCode!);
      passOn({ answer, client, idleMs: timeouts.idleMs }, owner);
    });
    upstream.end();
  };
  return {
    cut() {
      settle();
      cutServer();
    },
    end: () => endServer?.(),
  };
}

function ask({ upgrade, handshake }: TunnelEnd, { path, headers }: TunnelInput, socket: Socket): ClientRequest {
  const sent = [...headers];
  // There is no body that trailers could follow, and the platform throws where they are announced all the same.
  dropNamed(sent, 'trailer');
  return request({
    createConnection: () => socket,
    path,
    method: 'GET',
    setHost: false,
    maxHeaderSize: maxResponseHeaderByteCount,
    headers: [...sent, ...handshake, 'Connection', 'Upgrade', 'Upgrade', upgrade],
  });
}

/** The body of a refusal, ended by the end of the connection: where it is not whole, the connection ends with a reset. */
function passOn(refusal: { answer: IncomingMessage; client: TunnelEnd; idleMs: number }, owner: TunnelOwner): void {
  const { answer, client, idleMs } = refusal;
  const breakOff = (kind: FaultKind): void => {
    owner.broke(kind);
    client.breakOff();
  };
  answer.setTimeout(idleMs, () => breakOff('timeout'));
  answer.on('data', (chunk: Buffer) => owner.receivedBytes(chunk.length));
  answer.on('error', (error) => breakOff(faultKindOf(error, true)));
  answer.on('end', () => client.endDeclined());
  answer.pipe(client.stream, { end: false });
}

type Ends = {
  readonly client: TunnelEnd;
  readonly server: Socket;
  readonly serverHead: Buffer;
  readonly idleMs: number;
};

/** Both directions, half-close included; when one side is gone the other is too, once it has what was sent to it. */
function joinStreams({ client, server, serverHead, idleMs }: Ends, owner: TunnelOwner): void {
  const { stream, head } = client;
  server.setKeepAlive(true, keepAliveMs).setNoDelay(true);
  if (serverHead.length > 0) {
    owner.receivedBytes(serverHead.length);
    stream.write(serverHead);
  }
  if (head.length > 0) {
    owner.sentBytes(head.length);
    server.write(head);
  }
  stream.on('data', (chunk: Buffer) => owner.sentBytes(chunk.length));
  server.on('data', (chunk: Buffer) => owner.receivedBytes(chunk.length));
  stream.pipe(server);
  server.pipe(stream);
  stream.on('close', () => server.destroy());
  server.on('error', () => owner.broke('reset'));
  server.on('close', (hadError) => {
    if (hadError) {
      client.destroy();
      return;
    }
    client.endSoon(idleMs);
  });
}

/** Nothing of the client reaches the server any more, which ends the tunnel in its own time. */
function endBehind({ stream }: TunnelEnd, server: Socket): void {
  stream.unpipe(server);
  stream.resume();
  server.end();
  const late = setTimeout(() => server.destroy(), lastWordsMs);
  server.once('close', () => clearTimeout(late));
}
