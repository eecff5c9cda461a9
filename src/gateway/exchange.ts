// One HTTP request after its decision: sends it to a server, passes the answer on as it comes, and when a server fails
// before the first byte has it sent elsewhere. Never holds a body; once the head is out nothing is tried again.
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import type { Ending, FaultKind } from '../rollout/outcome.ts';
import type { AnswerTap } from './answer-tap.ts';
import { tapFor } from './answer-taps.ts';
import {
  canCarryTrailers,
  cutResponse,
  endBody,
  flushHead,
  lingerBeforeClose,
  passOnInterim,
  watchSlowClient,
} from './client-response.ts';
import { canSendAgain, errorCodeOf } from './faults.ts';
import { Journey, type JourneySetting, type JourneyStart } from './journey.ts';
import type { LiveRollout } from './live-policy.ts';
import type { RenderedProblem } from './problem.ts';
import { announcedByteCount, type BodyOwner, hasBody, RequestBody } from './request-body.ts';
import { returnedHeaders } from './response-headers.ts';
import { UnsendableError } from './upstream/unsendable.ts';
import type { AnswerHandler, Attempt } from './upstream/upstream-client.ts';

export class Exchange extends Journey implements BodyOwner, AnswerHandler {
  /** Its answer is the last one on the connection, because what follows cannot be trusted. */
  closesConnection = false;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #body: RequestBody | null = null;
  /** The response's head is on its way. */
  #committed = false;
  /** The request was put on a connection. */
  #sent = false;
  #watchesClient = false;
  /** Under way; null before and after. */
  #attempt: Attempt | null = null;
  /** The last piece of the answer, kept for the end that follows at once. */
  #lastPiece: Buffer | null = null;
  #tap: AnswerTap | null = null;

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
    this.#giveUp();
    this.#response.writeHead(problem.status, STATUS_CODES[problem.status], problem.headers);
    if (this.method !== 'HEAD') this.responseByteCount = Buffer.byteLength(problem.body);
    this.#tapProblem(problem);
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
    if (liveRollout.onlookers.length > 0) this.#letLookOn(liveRollout, decision);
    // Beyond 2^53 a length cannot be told from its neighbours, and would be sent on as one of them.
    const most = Math.min(this.livePolicy.policy.limits.bodyBytes, Number.MAX_SAFE_INTEGER);
    if (announcedByteCount(this.#request) > most) this.breakOff('body-too-large');
    else this.#send();
  }

  #letLookOn({ onlookers }: LiveRollout, decision: Decision): void {
    const { facts, requestId } = this;
    this.#tap = tapFor(onlookers, { facts, requestId, decision, rawHeaders: this.#request.rawHeaders });
  }

  #send(): void {
    const upstream = this.nextServer();
    if (upstream === null) return this.refuse('no-server');
    this.#sent = false;
    this.#body = this.#newBody();
    if (this.#body === null) this.awaitAnswer();
    const headers = this.headersFor(upstream, this.#request.rawHeaders);
    const request = { path: this.path, method: this.method, headers, body: this.#body };
    const attempt = upstream.client.send(request, this);
    this.#attempt = attempt;
    // What the body brought at once may have ended it all.
    if (this.#committed || !this.isOpen) this.#giveUp();
  }

  #newBody(): RequestBody | null {
    if (!hasBody(this.#request)) return null;
    return new RequestBody(
      { request: this.#request, response: this.#response, owner: this },
      { idleMs: this.livePolicy.policy.timeouts.idleMs },
    );
  }

  onSent(): void {
    this.#sent = true;
  }

  onInterim(status: number, rawHeaders: readonly string[]): void {
    passOnInterim(this.#request, this.#response, { status, rawHeaders });
  }

  onHead(status: number, reason: string, rawHeaders: readonly string[]): void {
    const headers = returnedHeaders(rawHeaders, canCarryTrailers(this.#request, status));
    for (const text of this.live!.exposedHeaders) headers.push(text);
    const cookie = this.issuedCookie();
    if (cookie !== null) headers.push('Set-Cookie', cookie);
    if (this.setting.isDraining()) headers.push('Connection', 'close');
    this.noteAnswer();
    this.#response.writeHead(status, reason, headers);
    this.#commit(status, 'client-left');
    this.#tap?.head(status, headers);
    // A body that follows in the same segment goes out with the head; one that is late must not hold the head back.
    process.nextTick(flushHead, this.#response);
  }

  onData(chunk: Buffer, isLast = false): boolean {
    this.responseByteCount += chunk.length;
    this.#tap?.data(chunk);
    if (isLast) {
      this.#lastPiece = chunk;
      return true;
    }
    if (this.#response.write(chunk)) return true;
    if (!this.#watchesClient) {
      this.#watchesClient = true;
      watchSlowClient(this.#request, this.#response, {
        resume: () => this.#attempt?.resume(),
        giveUp: () => this.#cut(),
      });
    }
    this.#request.socket.setTimeout(this.livePolicy.policy.timeouts.idleMs);
    return false;
  }

  onComplete(rawTrailers: readonly string[] | null): void {
    this.ending = 'complete';
    this.#attempt = null;
    endBody(this.#response, this.#lastPiece, rawTrailers);
  }

  onFailed(kind: FaultKind, error: Error): void {
    this.#attempt = null;
    if (error instanceof UnsendableError) return this.breakOff('malformed-request');
    this.fault(kind);
    // What came before the fault in the same turn is on its way to the client first.
    if (this.#committed) process.nextTick(() => this.isOpen && this.#cut());
    else this.#tryElsewhere(kind);
  }

  #tryElsewhere(kind: FaultKind): void {
    const bodyTouched = this.#body !== null && this.#body.touched;
    const canGoOn = canSendAgain(kind, { method: this.method, written: this.#sent, bodyTouched });
    if (!canGoOn || !this.redirect(kind)) return this.refuse(errorCodeOf(kind), { close: bodyTouched });
    // Other connections that the server closed at the same moment are noticed first.
    setImmediate(() => {
      if (this.isOpen && !this.#committed) this.#send();
    });
  }

  bodyPassing(chunk: Buffer): boolean {
    this.requestByteCount += chunk.length;
    if (this.requestByteCount <= this.livePolicy.policy.limits.bodyBytes) {
      this.#tap?.sent(chunk);
      return true;
    }
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

  #giveUp(): void {
    this.#attempt?.abort();
    this.#attempt = null;
  }

  #tapProblem({ status, headers, body }: RenderedProblem): void {
    if (this.#tap === null) return;
    this.#tap.head(status, headers);
    if (this.responseByteCount > 0) this.#tap.data(Buffer.from(body));
  }

  /** The response is out, or the client is gone, or the connection was cut. */
  #close(): void {
    if (!this.#response.writableFinished && this.ending !== 'cut') this.ending = 'client-left';
    this.end(this.elapsedMs());
    this.#giveUp();
    this.#tap?.end(this.ending === 'complete' || this.ending === 'refused');
  }
}
