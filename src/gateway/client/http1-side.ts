// A client of HTTP/1.1 or 1.0, through the request and response objects of the platform.
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  canCarryTrailers,
  cutResponse,
  endBody,
  flushHead,
  lingerBeforeClose,
  passOnInterim,
  watchSlowClient,
} from '../client-response.ts';
import type { RenderedProblem } from '../problem.ts';
import { announcedByteCount, type BodyOwner, hasBody, RequestBody } from '../request-body.ts';
import { giveBackChunk, slabByteCount } from '../upstream/slabs.ts';
import type { ClientSide, SlowClientOwner } from './client-side.ts';

/** So much of an answer waits for a slow client at most, and what one more read brings. */
const mostHeldByteCount = 2 * slabByteCount;

export class Http1Side implements ClientSide {
  readonly maxStatus = 999;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #isWatched = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders;
  }

  get hasBody(): boolean {
    return hasBody(this.#request);
  }

  get announcedByteCount(): number {
    return announcedByteCount(this.#request);
  }

  get hasWholeRequest(): boolean {
    return this.#request.complete;
  }

  get hasWholeAnswer(): boolean {
    return this.#response.writableFinished;
  }

  onClose(callback: () => void): void {
    this.#response.on('close', callback);
  }

  bodyFor(owner: BodyOwner, idleMs: number): RequestBody {
    return new RequestBody({ request: this.#request, response: this.#response, owner }, { idleMs });
  }

  announceClose(headers: string[]): void {
    headers.push('Connection', 'close');
  }

  closeAfterAnswer(): void {
    lingerBeforeClose(this.#request.socket);
  }

  interim(status: number, rawHeaders: readonly string[]): void {
    passOnInterim(this.#request, this.#response, { status, rawHeaders });
  }

  canCarryTrailers(status: number): boolean {
    return canCarryTrailers(this.#request, status);
  }

  head(status: number, reason: string, headers: string[]): void {
    this.#response.writeHead(status, reason, headers);
    // A body that follows in the same segment goes out with the head; one that is late must not hold the head back.
    process.nextTick(flushHead, this.#response);
  }

  write(chunk: Buffer): boolean {
    if (this.#response.write(chunk, () => giveBackChunk(chunk))) return true;
    // Full by the platform's measure, which one read fills; what it says when there is room again is the same.
    return this.#response.writableLength < mostHeldByteCount;
  }

  awaitRoom(owner: SlowClientOwner, idleMs: number): void {
    if (!this.#isWatched) {
      this.#isWatched = true;
      const actions = { resume: () => owner.clientTakes(), giveUp: () => owner.clientStalled() };
      watchSlowClient(this.#request, this.#response, actions);
    }
    this.#request.socket.setTimeout(idleMs);
  }

  end(last: Buffer | null, rawTrailers: readonly string[] | null): void {
    this.#expectMore();
    endBody(this.#response, last, rawTrailers);
  }

  refuse({ status, headers, body }: RenderedProblem): void {
    this.#expectMore();
    this.#response.writeHead(status, STATUS_CODES[status], headers);
    this.#response.end(body);
  }

  cut(): void {
    cutResponse(this.#request, this.#response);
  }

  /** A client that has not sent all may be sending still, and must not be reset before it has read the answer. */
  #expectMore(): void {
    if (!this.#request.complete) this.closeAfterAnswer();
  }
}
