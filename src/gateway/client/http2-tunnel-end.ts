// The client's end of a tunnel that began as an extended CONNECT of HTTP/2 (RFC 8441): one stream is the tunnel. The handshake with
// the server is one of HTTP/1.1, so its key is the gateway's.
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { dropNamed } from '../hop-by-hop.ts';
import type { RenderedProblem } from '../problem.ts';
import { Http2Side } from './http2-side.ts';
import type { Http2Request } from './http2-request.ts';
import type { TunnelEnd } from './tunnel-end.ts';

/** What a server adds to a key before it hashes it (RFC 6455, 1.3). */
const keyGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const nothing = Buffer.alloc(0);

export class Http2TunnelEnd implements TunnelEnd {
  readonly stream: ServerHttp2Stream;
  readonly rawHeaders: readonly string[];
  readonly head = nothing;
  readonly upgrade = 'websocket';
  readonly handshake: readonly string[];
  readonly #side: Http2Side;
  readonly #expectedAccept: string;

  constructor(stream: ServerHttp2Stream, request: Http2Request, idleMs: number) {
    this.stream = stream;
    this.#side = new Http2Side(stream, request, idleMs);
    // A key of the client's own has no place in this handshake.
    const rawHeaders = [...request.rawHeaders];
    dropNamed(rawHeaders, 'sec-websocket-key, sec-websocket-accept');
    this.rawHeaders = rawHeaders;
    const key = randomBytes(16).toString('base64');
    this.handshake = ['Sec-WebSocket-Key', key];
    this.#expectedAccept = createHash('sha1').update(`${key}${keyGuid}`).digest('base64');
  }

  isAgreed({ headers }: IncomingMessage): boolean {
    return headers.upgrade!.toLowerCase() === 'websocket' && headers['sec-websocket-accept'] === this.#expectedAccept;
  }

  /** Success would open the tunnel. */
  canDecline(status: number): boolean {
    return status >= 300 && status <= this.#side.maxStatus;
  }

  accept(_answer: IncomingMessage, headers: readonly string[]): void {
    const sent = [...headers];
    dropNamed(sent, 'sec-websocket-accept');
    this.#side.begin(200, sent);
  }

  decline({ statusCode }: IncomingMessage, headers: readonly string[]): void {
    this.#side.begin(statusCode!, headers);
  }

  endDeclined(): void {
    this.#side.end(null, null);
  }

  refuse(problem: RenderedProblem): void {
    this.#side.refuse(problem);
  }

  breakOff(): void {
    this.#side.cut();
  }

  endSoon(idleMs: number): void {
    // Its client has ended it already: no event would come to clear the timer.
    if (this.stream.closed) return;
    const late = setTimeout(() => this.destroy(), idleMs);
    this.stream.once('close', () => clearTimeout(late));
    this.stream.once('finish', () => this.stream.close(constants.NGHTTP2_NO_ERROR));
    this.stream.end();
  }

  destroy(): void {
    this.stream.close(constants.NGHTTP2_CANCEL);
  }
}
