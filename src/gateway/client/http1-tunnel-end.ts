// The client's end of a tunnel that began as a request of HTTP/1.1 (RFC 6455, 4): its connection is the tunnel.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { closeGently, writeProblem, type RenderedProblem } from '../problem.ts';
import { breakConnection } from './break-connection.ts';
import type { TunnelEnd } from './tunnel-end.ts';

/** The other end of a dead connection that never said so is noticed after about this long. */
const keepAliveMs = 60_000;

export class Http1TunnelEnd implements TunnelEnd {
  readonly stream: Socket;
  readonly rawHeaders: readonly string[];
  readonly head: Buffer;
  readonly upgrade: string;
  readonly handshake: readonly string[] = [];

  constructor({ rawHeaders, headers }: IncomingMessage, socket: Socket, head: Buffer) {
    this.stream = socket;
    this.rawHeaders = rawHeaders;
    this.head = head;
    this.upgrade = headers.upgrade!;
    socket.on('error', () => socket.destroy());
  }

  /** The key, and with it the answer to it, is the client's own. */
  isAgreed(answer: IncomingMessage): boolean {
    return answer.headers.upgrade!.toLowerCase() === 'websocket';
  }

  canDecline(): boolean {
    return true;
  }

  accept(answer: IncomingMessage, headers: readonly string[]): void {
    this.stream.setKeepAlive(true, keepAliveMs).setNoDelay(true);
    this.#writeHead(answer, [...headers, 'Connection', 'Upgrade', 'Upgrade', answer.headers.upgrade!]);
  }

  decline(answer: IncomingMessage, headers: readonly string[]): void {
    this.#writeHead(answer, [...headers, 'Connection', 'close']);
  }

  endDeclined(): void {
    closeGently(this.stream);
  }

  refuse(problem: RenderedProblem): void {
    writeProblem(this.stream, problem);
  }

  breakOff(): void {
    breakConnection(this.stream);
  }

  endSoon(idleMs: number): void {
    this.stream.setTimeout(idleMs, () => this.stream.destroy());
    this.stream.destroySoon();
  }

  destroy(): void {
    this.stream.destroy();
  }

  #writeHead({ statusCode, statusMessage }: IncomingMessage, headers: readonly string[]): void {
    let head = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`;
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    this.stream.write(`${head}\r\n`, 'latin1');
  }
}
