// Carries an upgraded connection (WebSocket): asks the server first, and only when it agrees does the client see the switch.
// A server that refuses is passed on as it answered, and the connection closes, so that nothing undecided can follow on it.
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FaultKind } from '../rollout/outcome.ts';
import type { TunnelEnd } from './client/tunnel-end.ts';
import { faultKindOf } from './faults.ts';
import { dropNamed } from './hop-by-hop.ts';
import { returnedHeaders } from './response-headers.ts';
import { endBehind, type Flow, joinStreams, passOnRefusal } from './tunnel-streams.ts';
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
export interface TunnelOwner extends Flow {
  /** The server failed before it answered: the request may go elsewhere. */
  failed(kind: FaultKind, error: unknown): void;
  /** The head of the server's answer is on its way to the client. */
  answered(status: number): void;
}

/** One server asked to switch protocols, and what becomes of that. */
export class Tunnel {
  readonly #client: TunnelEnd;
  readonly #input: TunnelInput;
  readonly #owner: TunnelOwner;
  /** The server has answered or failed, or nobody waits for it any more. */
  #isSettled = false;
  #timer: NodeJS.Timeout | undefined;
  #cutServer: () => void;
  /** Its end of what was switched; null before. */
  #server: Socket | null = null;

  constructor(client: TunnelEnd, input: TunnelInput, owner: TunnelOwner) {
    this.#client = client;
    this.#input = input;
    this.#owner = owner;
    const { connectMs, responseMs } = input.timeouts;
    this.#cutServer = input.connector.open(connectMs, (fault, socket) => {
      if (socket === null) return this.#fail(fault!.kind, fault);
      this.#timer = setTimeout(() => this.#fail('timeout'), responseMs);
      this.#ask(socket);
    });
  }

  /** Cuts it on the server's side; what comes later is nobody's. */
  cut(): void {
    this.#settle();
    this.#cutServer();
  }

  /** Tells the server that the client is gone: what it still says reaches the client before that is told the same. */
  end(): void {
    if (this.#server !== null) endBehind(this.#client, this.#server);
  }

  #ask(socket: Socket): void {
    const upstream = requestOver(socket, this.#client, this.#input);
    this.#cutServer = () => upstream.destroy();
    upstream.on('error', (error) => this.#fail(faultKindOf(error, true)));
    upstream.on('upgrade', (answer, server, serverHead) => {
      if (this.#settle()) this.#switch(answer, server, serverHead);
      else server.destroy();
    });
    upstream.on('response', (answer) => {
      if (this.#settle()) this.#decline(answer);
      else answer.destroy();
    });
    upstream.end();
  }

  #switch(answer: IncomingMessage, server: Socket, serverHead: Buffer): void {
    const client = this.#client;
    if (!client.isAgreed(answer)) return this.#disagree(server);
    client.accept(answer, this.#headersOf(101, answer));
    this.#owner.answered(101);
    this.#server = server;
    joinStreams({ client, server, serverHead, idleMs: this.#input.timeouts.idleMs }, this.#owner);
  }

  #decline(answer: IncomingMessage): void {
    const client = this.#client;
    const status = answer.statusCode!;
    if (status === 101 || !client.canDecline(status)) return this.#disagree(answer);
    client.decline(answer, this.#headersOf(status, answer));
    this.#owner.answered(status);
    passOnRefusal({ answer, client, idleMs: this.#input.timeouts.idleMs }, this.#owner);
  }

  /** The server switched to what nobody asked for, or does not say to what. */
  #disagree(server: { destroy(): unknown }): void {
    server.destroy();
    this.#owner.failed('protocol', null);
  }

  #fail(kind: FaultKind, error: unknown = null): void {
    this.#cutServer();
    if (this.#settle()) this.#owner.failed(kind, error);
  }

  /** False where the tunnel was cut or failed before: then nobody waits for the answer. */
  #settle(): boolean {
    clearTimeout(this.#timer);
    if (this.#isSettled) return false;
    this.#isSettled = true;
    return true;
  }

  #headersOf(status: number, { rawHeaders }: IncomingMessage): string[] {
    return [...returnedHeaders(status, rawHeaders, false), ...this.#input.addedHeaders];
  }
}

function requestOver(socket: Socket, { upgrade, handshake }: TunnelEnd, { path, headers }: TunnelInput): ClientRequest {
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
