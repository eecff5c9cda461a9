// One HTTP request after its decision: sends it to a server, passes the answer on as it comes, and when a server fails
// before the first byte has it sent elsewhere. Never holds a body; once the head is out nothing is tried again.
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, errors } from 'undici';
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import type { Ending, FaultKind } from '../rollout/outcome.ts';
import {
  canCarryTrailers,
  cutResponse,
  endBody,
  flushHead,
  lingerBeforeClose,
  passOnInterim,
  reasonPhrase,
  watchSlowClient,
} from './client-response.ts';
import { canSendAgain, errorCodeOf, faultKindOf, isOwnRefusal } from './faults.ts';
import { Journey, type JourneySetting, type JourneyStart } from './journey.ts';
import type { LiveRollout } from './live-policy.ts';
import { announcedByteCount, type BodyOwner, hasBody, RequestBody } from './request-body.ts';
import { returnedHeaders } from './response-headers.ts';

export class Exchange extends Journey implements BodyOwner, Dispatcher.DispatchHandler {
  /** Its answer is the last one on the connection, because what follows cannot be trusted. */
  closesConnection = false;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #body: RequestBody | null = null;
  /** The response's head is on its way. */
  #committed = false;
  /** The request was put on a connection. */
  #written = false;
  #watchesClient = false;
  #abort: ((reason?: Error) => void) | null = null;
  #resume: (() => void) | null = null;

  constructor(
    setting: JourneySetting,
    start: JourneyStart,
    sides: { request: IncomingMessage; response: ServerResponse },
  ) {
    super(setting, start);
    this.#request = sides.request;
    this.#response = sides.response;
    this.#response.on('close', () => this.#close());
  }

  /** Whether the client has sent the request to its end. */
  get hasWholeRequest(): boolean {
    return this.#request.complete;
  }

  /** Calls back when the response is out or its connection is gone. */
  onceAnswered(callback: () => void): void {
    this.#response.once('close', callback);
  }

  /** Answers with a problem and, where the rest of the request cannot be trusted or awaited, closes the connection. */
  refuse(code: ErrorCode, options: { detail?: string; close?: boolean } = {}): void {
    if (this.#committed || !this.isOpen) return;
    const problem = this.problemOf(code, options.detail);
    if (options.close === true || this.setting.isDraining()) problem.headers.push('Connection', 'close');
    if (options.close === true) {
      this.closesConnection = true;
      lingerBeforeClose(this.#request.socket);
    }
    this.#commit(problem.status, 'refused');
    this.#abort?.();
    this.#response.writeHead(problem.status, STATUS_CODES[problem.status], problem.headers);
    if (this.method !== 'HEAD') this.responseByteCount = Buffer.byteLength(problem.body);
    this.#response.end(problem.body);
  }

  /** The client's side of the request went wrong: refuses it, or cuts a response that has begun. */
  breakOff(code: ErrorCode): void {
    if (this.#committed) this.#cut();
    else this.refuse(code, { close: true });
  }

  /** Sends the request to the version that was decided. */
  forward(liveRollout: LiveRollout, decision: Decision): void {
    this.begin(liveRollout, decision);
    // Beyond 2^53 a length cannot be told from its neighbours, and would be sent on as one of them.
    const most = Math.min(this.livePolicy.policy.limits.bodyBytes, Number.MAX_SAFE_INTEGER);
    if (announcedByteCount(this.#request) > most) this.breakOff('body-too-large');
    else this.#attempt();
  }

  #attempt(): void {
    const upstream = this.nextServer();
    if (upstream === null) return this.refuse('no-server');
    this.#written = false;
    this.#abort = null;
    this.#body = this.#newBody();
    if (this.#body === null) this.awaitAnswer();
    upstream.pool.dispatch(
      {
        path: this.path,
        method: this.method,
        headers: this.headersFor(upstream, this.#request.rawHeaders),
        body: this.#body,
      },
      this,
    );
  }

  #newBody(): RequestBody | null {
    if (!hasBody(this.#request)) return null;
    return new RequestBody(
      { request: this.#request, response: this.#response, owner: this },
      { idleMs: this.livePolicy.policy.timeouts.idleMs },
    );
  }

  // What the HTTP client reports. Its older handler form is used because it gives the header fields as they came.

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    this.#written = true;
    if (this.#committed || !this.isOpen) abort();
  }

  onHeaders(status: number, rawHeaders: Buffer[], resume: () => void, statusText: string): boolean {
    if (status < 200) {
      if (!this.#committed) passOnInterim(this.#request, this.#response, { status, rawHeaders });
      return true;
    }
    const headers = returnedHeaders(rawHeaders, canCarryTrailers(this.#request, status));
    for (const text of this.live!.exposedHeaders) headers.push(text);
    const cookie = this.issuedCookie();
    if (cookie !== null) headers.push('Set-Cookie', cookie);
    if (this.setting.isDraining()) headers.push('Connection', 'close');
    this.#resume = resume;
    this.noteAnswer();
    this.#response.writeHead(status, reasonPhrase(status, statusText), headers);
    this.#commit(status, 'client-left');
    // A body that follows in the same segment goes out with the head; one that is late must not hold the head back.
    process.nextTick(flushHead, this.#response);
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.responseByteCount += chunk.length;
    if (this.#response.write(chunk)) return true;
    if (!this.#watchesClient) {
      this.#watchesClient = true;
      watchSlowClient(this.#request, this.#response, { resume: () => this.#resume!(), giveUp: () => this.#cut() });
    }
    this.#request.socket.setTimeout(this.livePolicy.policy.timeouts.idleMs);
    return false;
  }

  onComplete(trailers: string[] | null): void {
    // The HTTP client takes a reset for the end of a body that has no other end.
    if (this.upstream!.isFailing) this.onError(new errors.SocketError('the connection was reset'));
    else this.#complete(trailers);
  }

  #complete(trailers: string[] | null): void {
    this.ending = 'complete';
    this.#abort = null;
    endBody(this.#response, trailers as unknown as Buffer[] | null);
  }

  onError(error: Error): void {
    this.#abort = null;
    if (!this.isOpen || this.ending === 'refused') return;
    // The length of a 304 is that of the body it does not have (RFC 9110, 15.4.5); the HTTP client misses it.
    if (this.#committed && this.status === 304) return this.#complete(null);
    if (isOwnRefusal(error)) return this.refuse('malformed-request');
    const kind = faultKindOf(error, this.#written);
    this.fault(kind);
    if (this.#committed) this.#cut();
    else this.#tryElsewhere(kind);
  }

  #tryElsewhere(kind: FaultKind): void {
    const bodyTouched = this.#body !== null && this.#body.touched;
    const canGoOn = canSendAgain(kind, { method: this.method, written: this.#written, bodyTouched });
    if (!canGoOn || !this.redirect(kind)) return this.refuse(errorCodeOf(kind), { close: bodyTouched });
    // Other connections that the server closed at the same moment are noticed first.
    setImmediate(() => {
      if (this.isOpen && !this.#committed) this.#attempt();
    });
  }

  bodyBytes(byteCount: number): boolean {
    this.requestByteCount += byteCount;
    if (this.requestByteCount <= this.livePolicy.policy.limits.bodyBytes) return true;
    this.breakOff('body-too-large');
    return false;
  }

  bodyEnded(): void {
    if (!this.#committed) this.awaitAnswer();
  }

  bodyStalled(): void {
    this.breakOff('request-timeout');
  }

  #commit(status: number, ending: Ending): void {
    this.#committed = true;
    this.status = status;
    this.ending = ending;
  }

  #cut(): void {
    this.ending = 'cut';
    cutResponse(this.#request, this.#response);
  }

  /** The response is out, or the client is gone, or the connection was cut. */
  #close(): void {
    if (!this.#response.writableFinished && this.ending !== 'cut') this.ending = 'client-left';
    this.end(this.elapsedMs());
    this.#abort?.();
  }
}
