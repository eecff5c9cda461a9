// The TLS side of the public port: takes connections as they were accepted and hands them on decrypted, by the protocol that
// client and gateway agreed on (ALPN, RFC 7301). New certificates are for new connections; open ones keep what they began with.
import { createHmac, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import { errorTable } from '../../errors.ts';
import type { Tls } from '../../rollout/entrance.ts';
import { CertificateChoice } from './certificate-choice.ts';

export interface TlsHandler {
  onHttp1(socket: TLSSocket): void;
  onHttp2(socket: TLSSocket): void;
  /** A handshake failed; the status is what it counts as. */
  onFailed(status: number): void;
}

export class TlsFront {
  readonly #handler: TlsHandler;
  readonly #ticketSecret: Uint8Array;
  #server: TlsServer | null = null;
  /** Of what the server was made from: sessions outlive reloads that change nothing here. */
  #madeOf = '';

  /** `ticketSecret`: what the keys of sessions are made from, together with the certificates. */
  constructor(handler: TlsHandler, ticketSecret: Uint8Array = randomBytes(32)) {
    this.#handler = handler;
    this.#ticketSecret = ticketSecret;
  }

  /** For new connections; null: they are plain. */
  adopt(tls: Tls | null, handshakeMs: number): void {
    const madeOf = JSON.stringify([tls, handshakeMs]);
    if (madeOf === this.#madeOf) return;
    this.#madeOf = madeOf;
    this.#server = tls === null ? null : this.#serverOf(tls, handshakeMs);
  }

  get isOn(): boolean {
    return this.#server !== null;
  }

  /** Begins the handshake on a connection from which nothing was read. */
  accept(socket: Socket): void {
    // What goes wrong on it is reported by the side that decrypts.
    socket.on('error', () => socket.destroy());
    this.#server!.emit('connection', socket);
  }

  #serverOf(tls: Tls, handshakeMs: number): TlsServer {
    const choice = new CertificateChoice(tls);
    const server = createServer({
      ...choice.options,
      SNICallback: (name, callback) => callback(null, choice.contextFor(name)),
      ALPNProtocols: ['h2', 'http/1.1'],
      requestCert: tls.clientCa !== null,
      rejectUnauthorized: true,
      // Whoever must present a certificate now cannot come back by a session from before that was so.
      ticketKeys: createHmac('sha384', this.#ticketSecret).update(this.#madeOf).digest(),
      sessionIdContext: 'graygate',
      handshakeTimeout: handshakeMs,
    });
    server.on('secureConnection', (socket) => {
      if (socket.alpnProtocol === 'h2') this.#handler.onHttp2(socket);
      else this.#handler.onHttp1(socket);
    });
    server.on('tlsClientError', (error, socket) => this.#refuse(error, socket));
    return server;
  }

  #refuse(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    // Who leaves in the middle is no fault, unless it was sent away for its certificate.
    const left = error.code === 'ECONNRESET' && (socket.authorizationError ?? null) === null;
    if (!left) {
      const code = error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT' ? 'request-timeout' : 'malformed-request';
      this.#handler.onFailed(errorTable[code].status);
    }
    socket.destroy();
  }
}
