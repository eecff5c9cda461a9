// One HTTP/2 connection to a server: made ready, watched for silence, closed when it idles or the server says goodbye.
import { type ClientHttp2Session, type ClientHttp2Stream, type ClientSessionOptions, connect } from 'node:http2';
import type { Socket } from 'node:net';
import { ConnectFault, type Connector } from './connector.ts';
import type { StreamCarrier } from './http2-attempt.ts';
import { maxFieldsByteCount } from './http2-headers.ts';
import { PeerWatch } from './peer-watch.ts';
import { tlsProblemOf } from './tls-problem.ts';

/** What a stream may send before its reader has taken it: bounds what a slow client makes the gateway hold. */
const streamWindowByteCount = 262_144;
const connectionWindowByteCount = 16 * 2 ** 20;
const maxStreamCount = 1_000;
const idleMs = 60_000;

/** The platform's types do not know all of these yet. */
const sessionOptions: ClientSessionOptions & { strictSingleValueFields: boolean } = {
  settings: { enablePush: false, initialWindowSize: streamWindowByteCount, maxHeaderListSize: maxFieldsByteCount },
  // What a client repeats is the server's to judge.
  strictSingleValueFields: false,
  maxHeaderListPairs: 2_000,
  maxSendHeaderBlockLength: 2 ** 21,
  maxSessionMemory: 256,
};

export type ConnectionSetting = {
  readonly origin: string;
  readonly connector: Connector;
  readonly connectMs: number;
};

/** Told what becomes of a connection. */
export interface ConnectionOwner {
  /** It is ready, or has room again. */
  hasRoom(connection: Http2Connection): void;
  /** It never became ready. */
  failed(connection: Http2Connection, fault: ConnectFault): void;
  /** It takes no new streams; those under way may go on. */
  leaving(connection: Http2Connection): void;
  closed(connection: Http2Connection): void;
}

export class Http2Connection implements StreamCarrier {
  readonly scheme: 'http' | 'https';
  readonly #owner: ConnectionOwner;
  readonly #origin: string;
  #session: ClientHttp2Session | null = null;
  #peer: PeerWatch | null = null;
  #giveUp: () => void;
  #isReady = false;
  #isLeaving = false;
  #streamCount = 0;
  #limit = 0;
  #lastStreamId = Infinity;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(setting: ConnectionSetting, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#origin = setting.origin;
    this.scheme = setting.origin.startsWith('https:') ? 'https' : 'http';
    const deadlineMs = performance.now() + setting.connectMs;
    this.#giveUp = setting.connector.open(setting.connectMs, (fault, socket) => {
      if (fault === null) this.#greet(socket!, Math.max(1, deadlineMs - performance.now()));
      else this.#fail(fault);
    });
  }

  get hasRoom(): boolean {
    return this.#isReady && !this.#isLeaving && this.#streamCount < this.#limit;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** How many streams it takes at once. */
  get limit(): number {
    return this.#limit;
  }

  open(fields: string[], options: { endStream: boolean; waitForTrailers: boolean }): ClientHttp2Stream {
    const stream = this.#session!.request(fields, options);
    this.#streamCount += 1;
    if (this.#streamCount === 1) this.#busy();
    return stream;
  }

  released(): void {
    this.#streamCount -= 1;
    if (this.#streamCount === 0) this.#idle();
    if (this.hasRoom) this.#owner.hasRoom(this);
  }

  hasDisowned(streamId: number | undefined): boolean {
    return streamId === undefined || streamId > this.#lastStreamId;
  }

  suspect(): void {
    this.#peer!.suspect();
  }

  /** Takes nothing new, and closes once what is under way has ended. */
  leave(): void {
    this.#leave();
    this.#giveUp();
    if (this.#session === null) this.#owner.closed(this);
    else if (this.#streamCount === 0) this.#session.close();
  }

  /** Cuts what is under way. */
  destroy(): void {
    this.#leave();
    this.#giveUp();
    if (this.#session === null) this.#owner.closed(this);
    else this.#session.destroy();
  }

  /** The first frame of either side is its settings: one that sends anything else does not speak HTTP/2. */
  #greet(socket: Socket, leftMs: number): void {
    const session = connect(this.#origin, { ...sessionOptions, createConnection: () => socket });
    this.#session = session;
    this.#peer = new PeerWatch(session, socket);
    let problem: Error = new Error('the connection was closed before it was ready');
    const timer = setTimeout(() => session.destroy(new ConnectFault('timeout', 'the server does not greet')), leftMs);
    this.#giveUp = () => clearTimeout(timer);
    session.once('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(connectionWindowByteCount);
    });
    session.on('remoteSettings', ({ maxConcurrentStreams = maxStreamCount }) => {
      clearTimeout(timer);
      this.#isReady = true;
      this.#limit = Math.min(maxConcurrentStreams, maxStreamCount);
      if (this.#streamCount === 0) this.#idle();
      if (!this.#isLeaving) this.#owner.hasRoom(this);
    });
    session.on('goaway', (_code, lastStreamId) => {
      this.#lastStreamId = lastStreamId;
      this.#leave();
    });
    session.on('error', (error) => (problem = error));
    // After an error of TLS the platform neither closes the socket nor says that the session is over.
    socket.once('error', () => socket.destroy());
    session.on('close', () => {
      clearTimeout(timer);
      this.#leave();
      this.#peer!.end();
      if (this.#isReady) this.#owner.closed(this);
      else this.#fail(greetingFault(problem));
    });
  }

  #fail(fault: ConnectFault): void {
    this.#isLeaving = true;
    this.#owner.failed(this, fault);
  }

  #leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    clearTimeout(this.#idleTimer);
    this.#owner.leaving(this);
  }

  #busy(): void {
    clearTimeout(this.#idleTimer);
    this.#peer!.start();
  }

  #idle(): void {
    clearTimeout(this.#idleTimer);
    this.#peer!.stop();
    if (this.#isLeaving) this.#session!.close();
    else this.#idleTimer = setTimeout(() => this.leave(), idleMs);
  }
}

function greetingFault(problem: Error): ConnectFault {
  if (problem instanceof ConnectFault) return problem;
  const isGarbage = (problem as NodeJS.ErrnoException).code === 'ERR_HTTP2_ERROR';
  const message = isGarbage ? 'expected HTTP/2, which http2: true asks for' : tlsProblemOf(problem);
  return new ConnectFault(isGarbage ? 'protocol' : 'connect', message, problem);
}
