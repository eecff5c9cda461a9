// The HTTP/2 connections of clients: how much one may ask for, when an idle one ends, and how all end when the gateway does.
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Http2Peer, type Http2Request, readHttp2Request } from './http2-request.ts';

export interface Http2Handler {
  onStream(stream: ServerHttp2Stream, request: Http2Request): void;
  /** What a client sent is not HTTP/2, or more than it may send; its connection was ended. */
  onMalformed(): void;
}

export type Http2Limits = { readonly headerBytes: number; readonly headerMs: number; readonly idleMs: number };

const maxConcurrentStreams = 100;

/** A client that opens and resets streams faster than this is ended (CVE-2023-44487); browsers reset a pageful at once. */
const streamResetBurst = 500;
const streamResetRate = 50;

/** Bytes that a client may send on a connection before it hears that they arrived; a stream has 64 KiB of them. */
const connectionWindowByteCount = 1_048_576;

/** The list of fields costs 32 bytes more a field than HTTP/1.1 counts (RFC 9113, 6.5.2), and those can be short. */
const fieldOverheadRatio = 9;

/** The last stream that any client could open: says "no more" and refuses none that is on its way (RFC 9113, 6.8). */
const lastOfAllStreams = 2 ** 31 - 1;

/** How long a client that was told that an idle connection ends may take to end what it had begun. */
const lingerMs = 1_000;

type Session = {
  readonly session: ServerHttp2Session;
  readonly idleMs: number;
  /** Streams under way. */
  openCount: number;
  isEnding: boolean;
};

export class Http2Sessions {
  readonly #handler: Http2Handler;
  readonly #sessions = new Set<Session>();
  #limits: Http2Limits = { headerBytes: 16_384, headerMs: 10_000, idleMs: 75_000 };
  #isDraining = false;

  constructor(handler: Http2Handler) {
    this.#handler = handler;
  }

  /** For new connections. */
  tune(limits: Http2Limits): void {
    this.#limits = limits;
  }

  /** Serves a connection on which both sides agreed to speak HTTP/2. */
  accept(socket: Socket): void {
    const { headerBytes, headerMs, idleMs } = this.#limits;
    const scheme = socket instanceof TLSSocket ? 'https' : 'http';
    const peer: Http2Peer = { remoteAddress: socket.remoteAddress ?? '', scheme, headerByteLimit: headerBytes };
    const session = performServerHandshake(socket, {
      settings: {
        maxConcurrentStreams,
        enableConnectProtocol: true,
        maxHeaderListSize: headerBytes * fieldOverheadRatio,
      },
      maxHeaderListPairs: headerBytes,
      maxSendHeaderBlockLength: 262_144,
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
      streamResetBurst,
      streamResetRate,
      strictSingleValueFields: false,
    });
    const open: Session = { session, idleMs, openCount: 0, isEnding: false };
    this.#sessions.add(open);
    session.setLocalWindowSize(connectionWindowByteCount);
    session.setTimeout(headerMs, () => this.#timedOut(open));
    // The platform's session would not notice that the client has closed its side.
    socket.allowHalfOpen = false;
    session.on('stream', ((stream: ServerHttp2Stream, _headers: unknown, _flags: number, fields: string[]) => {
      open.openCount += 1;
      stream.on('close', () => this.#streamClosed(open));
      this.#handler.onStream(stream, readHttp2Request(fields, peer));
    }) as never);
    session.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('ERR_HTTP2_') === true) this.#handler.onMalformed();
    });
    session.on('close', () => this.#sessions.delete(open));
    if (this.#isDraining) this.#end(open);
  }

  /** Tells every client to open no stream more; each connection ends with its last one. */
  drain(): void {
    this.#isDraining = true;
    for (const open of this.#sessions) this.#end(open);
  }

  #end(open: Session): void {
    open.isEnding = true;
    if (open.session.destroyed) return;
    if (open.openCount === 0) open.session.close();
    else open.session.goaway(constants.NGHTTP2_NO_ERROR, lastOfAllStreams);
  }

  #streamClosed(open: Session): void {
    open.openCount -= 1;
    if (open.openCount > 0 || open.session.destroyed) return;
    if (open.isEnding) this.#end(open);
    else open.session.setTimeout(open.idleMs);
  }

  #timedOut({ session, openCount }: Session): void {
    if (openCount > 0) return;
    session.close();
    setTimeout(() => session.destroy(), lingerMs).unref();
  }
}
