// Whether anybody is at the other end of an HTTP/2 connection. Asks rarely, because servers take many pings for an attack: only
// when something was sent and nothing came back for a while, or when a request waited in vain.
import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

const silenceMs = 10_000;
const pingMs = 5_000;

export class PeerWatch {
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  #timer: NodeJS.Timeout | undefined;
  #ping: NodeJS.Timeout | undefined;
  #readByteCount = 0;
  #writtenByteCount = 0;

  constructor(session: ClientHttp2Session, socket: Socket) {
    this.#session = session;
    this.#socket = socket;
  }

  /** From now on answers are owed. */
  start(): void {
    this.#take();
    this.#timer = setInterval(() => this.#look(), silenceMs);
  }

  /** No answer is owed. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Stops for good. */
  end(): void {
    this.stop();
    clearTimeout(this.#ping);
  }

  /** Asks now; an end that does not answer has its connection destroyed, with all that it carries. */
  suspect(): void {
    if (this.#ping !== undefined || this.#session.destroyed) return;
    this.#ping = setTimeout(() => this.#session.destroy(new DeadPeerError()), pingMs);
    const isSent = this.#session.ping(() => this.#answered());
    if (!isSent) this.#answered();
  }

  #answered(): void {
    clearTimeout(this.#ping);
    this.#ping = undefined;
  }

  #look(): void {
    const { bytesRead, bytesWritten } = this.#socket;
    const isSilent = bytesRead === this.#readByteCount && bytesWritten !== this.#writtenByteCount;
    this.#take();
    if (isSilent) this.suspect();
  }

  #take(): void {
    this.#readByteCount = this.#socket.bytesRead;
    this.#writtenByteCount = this.#socket.bytesWritten;
  }
}

class DeadPeerError extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super(`the server answered no ping within ${pingMs} ms`);
  }
}
