// One HTTP request after its decision: sends it to a server, passes the answer on as it comes, and when a server fails
// before the first byte has it sent elsewhere. Never holds a body; once the head is out nothing is tried again.
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import { grpcStatuses, httpStatusOfGrpc } from '../rollout/grpc-status.ts';
import type { Ending, FaultKind } from '../rollout/outcome.ts';
import type { AnswerTap } from './answer-tap.ts';
import { tapFor } from './answer-taps.ts';
import type { ClientBody, ClientSide, SlowClientOwner } from './client/client-side.ts';
import { canSendAgain, errorCodeOf, isOwnShortage } from './faults.ts';
import { grpcStatusIn, isGrpc } from './grpc.ts';
import { Journey } from './journey.ts';
import type { LiveRollout } from './live-policy.ts';
import { pageCookie } from './page-cookie.ts';
import type { RenderedProblem } from './problem.ts';
import { findHeader } from './raw-headers.ts';
import type { BodyOwner } from './request-body.ts';
import type { JourneySetting, JourneyStart } from './request-record.ts';
import { returnedHeaders } from './response-headers.ts';
import type { UpstreamServer } from './servers/upstream-server.ts';
import { keepChunk } from './upstream/slabs.ts';
import { lastTrailers, type StreamKind, streamKindOf } from './stream-kind.ts';
import { UnsendableError } from './upstream/unsendable.ts';
import type { AnswerHandler, Attempt } from './upstream/upstream-client.ts';

export class Exchange extends Journey implements BodyOwner, SlowClientOwner, AnswerHandler {
  /** Its answer is the last one on the connection, because what follows cannot be trusted. */
  closesConnection = false;
  readonly #client: ClientSide;
  #body: ClientBody | null = null;
  /** The response's head is on its way. */
  #committed = false;
  /** The request was put on a connection. */
  #sent = false;
  /** Under way; null before and after. */
  #attempt: Attempt | null = null;
  /** Of an attempt that has a time of its own. */
  #tryTimer: NodeJS.Timeout | undefined;
  /** The last piece of the answer, kept for the end that follows at once. */
  #lastPiece: Buffer | null = null;
  #tap: AnswerTap | null = null;
  #streamKind: StreamKind | null = null;
  /** How the answer ends is said in its trailers. */
  #isGrpc = false;

  constructor(setting: JourneySetting, start: JourneyStart, client: ClientSide) {
    super(setting, start);
    this.#client = client;
    client.onClose(() => this.#close());
  }

  /** Whether the client has sent the request to its end. */
  get hasWholeRequest(): boolean {
    return this.#client.hasWholeRequest;
  }

  /** Calls back when the response is out or its connection is gone. */
  onceAnswered(callback: () => void): void {
    this.#client.onClose(callback);
  }

  /** Answers with a problem and, where the rest of the request cannot be trusted or awaited, closes the connection. */
  refuse(code: ErrorCode, options: { detail?: string; close?: boolean } = {}): void {
    if (this.#committed || !this.isOpen) return;
    const problem = this.problemOf(code, options.detail);
    if (options.close === true || this.setting.isDraining()) this.#client.announceClose(problem.headers);
    if (options.close === true) {
      this.closesConnection = true;
      this.#client.closeAfterAnswer();
    }
    this.#commit(problem.status, 'refused');
    this.#giveUp();
    if (this.method !== 'HEAD') this.responseByteCount = Buffer.byteLength(problem.body);
    this.#tapProblem(problem);
    this.#client.refuse(problem);
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
    if (this.#client.announcedByteCount > most) this.breakOff('body-too-large');
    else this.seek();
  }

  #letLookOn({ onlookers }: LiveRollout, decision: Decision): void {
    const { facts, requestId } = this;
    this.#tap = tapFor(onlookers, { facts, requestId, decision, rawHeaders: this.#client.rawHeaders });
  }

  protected override attempt(upstream: UpstreamServer): void {
    this.#sent = false;
    const { idleMs } = this.livePolicy.policy.timeouts;
    this.#body = this.#client.hasBody ? this.#client.bodyFor(this, idleMs) : null;
    if (this.#body === null) this.awaitAnswer();
    const headers = this.headersFor(upstream, this.#client.rawHeaders);
    const request = { path: this.path, method: this.method, headers, body: this.#body };
    const attempt = upstream.client.send(request, this);
    this.#attempt = attempt;
    // What the body brought at once may have ended it all.
    if (this.#committed || !this.isOpen) return this.#giveUp();
    const { perTryMs } = this.live!.version.serving.retries;
    if (perTryMs !== null && this.#canSendAgain('timeout')) this.#tryTimer = setTimeout(() => this.#cutTry(), perTryMs);
  }

  /** Gives up on a server that takes its time, if another one may be asked. */
  #cutTry(): void {
    if (this.#committed || !this.#canSendAgain('timeout') || !this.retry('timeout', this.#sent)) return;
    this.fault('timeout');
    this.#sendAgain();
  }

  onSent(): void {
    this.#sent = true;
  }

  onInterim(status: number, rawHeaders: readonly string[]): void {
    this.#client.interim(status, rawHeaders);
  }

  onHead(status: number, reason: string, rawHeaders: readonly string[]): void {
    if (status > this.#client.maxStatus) {
      this.#giveUp();
      return this.onFailed('protocol', new Error(`the status ${status} cannot be passed on`));
    }
    clearTimeout(this.#tryTimer);
    if (status >= 500 && this.#canSendAgain('timeout') && this.rejects(status)) return this.#sendAgain();
    if (status === 404 && this.crossOver()) return this.#sendAgain();
    const headers = returnedHeaders(status, rawHeaders, this.#client.canCarryTrailers(status));
    for (const text of this.live!.exposedHeaders) headers.push(text);
    const cookie = this.issuedCookie();
    if (cookie !== null) headers.push('Set-Cookie', cookie);
    const page = pageCookie(this.rollout!.skew, this.live!.version.name, { facts: this.facts, headers });
    if (page !== null) headers.push('Set-Cookie', page);
    if (this.setting.isDraining()) this.#client.announceClose(headers);
    this.noteAnswer(this.live!.version.http2 ? this.#statusWithGrpc(status, rawHeaders) : status);
    this.#commit(status, 'client-left');
    this.#tap?.head(status, headers);
    this.#streamKind = streamKindOf(headers);
    if (this.#streamKind !== null) this.beginStream(() => this.#withdraw());
    this.#client.head(status, reason, headers);
  }

  /** The status that an answer stands for, as far as its head says. */
  #statusWithGrpc(status: number, rawHeaders: readonly string[]): number {
    this.#isGrpc = isGrpc(findHeader(rawHeaders, 'content-type'));
    if (this.#isGrpc) this.grpcStatus = grpcStatusIn(rawHeaders);
    return this.grpcStatus === null || status >= 500 ? status : httpStatusOfGrpc(this.grpcStatus);
  }

  onData(chunk: Buffer, isLast = false): boolean {
    this.responseByteCount += chunk.length;
    if (this.#tap !== null) {
      this.#tap.data(chunk);
      keepChunk(chunk);
    }
    if (isLast) {
      this.#lastPiece = chunk;
      return true;
    }
    if (this.#client.write(chunk)) return true;
    this.#client.awaitRoom(this, this.livePolicy.policy.timeouts.idleMs);
    return false;
  }

  clientTakes(): void {
    this.#attempt?.resume();
  }

  clientStalled(): void {
    this.#cut();
  }

  onComplete(rawTrailers: readonly string[] | null): void {
    this.ending = 'complete';
    this.#attempt = null;
    if (this.#isGrpc) this.grpcStatus ??= grpcStatusIn(rawTrailers ?? []) ?? grpcStatuses.unknown;
    this.#client.end(this.#lastPiece, rawTrailers);
  }

  onFailed(kind: FaultKind, error: Error): void {
    clearTimeout(this.#tryTimer);
    this.#attempt = null;
    if (error instanceof UnsendableError) return this.breakOff('malformed-request');
    if (isOwnShortage(error)) return this.breakOff('too-many-connections');
    this.fault(kind);
    // What came before the fault in the same turn is on its way to the client first.
    if (this.#committed) process.nextTick(() => this.isOpen && this.#cut());
    else this.#tryElsewhere(kind);
  }

  #tryElsewhere(kind: FaultKind): void {
    if (this.#canSendAgain(kind) && this.redirect(kind, this.#sent)) return this.#sendAgain();
    this.refuse(errorCodeOf(kind), { close: this.#body !== null && this.#body.touched });
  }

  #canSendAgain(kind: FaultKind): boolean {
    const bodyTouched = this.#body !== null && this.#body.touched;
    return canSendAgain(kind, { method: this.method, written: this.#sent, bodyTouched });
  }

  #sendAgain(): void {
    this.#giveUp();
    // Other connections that the server closed at the same moment are noticed first.
    setImmediate(() => {
      if (this.isOpen && !this.#committed) this.seek();
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
    this.#client.cut();
  }

  #giveUp(): void {
    clearTimeout(this.#tryTimer);
    this.#attempt?.abort();
    this.#attempt = null;
  }

  /** Ends an answer that goes on and on, as its server would have ended it. */
  #withdraw(): void {
    if (!this.isOpen || this.ending === 'complete') return;
    this.#giveUp();
    this.ending = 'complete';
    this.#client.end(null, lastTrailers(this.#streamKind!));
  }

  #tapProblem({ status, headers, body }: RenderedProblem): void {
    if (this.#tap === null) return;
    this.#tap.head(status, headers);
    if (this.responseByteCount > 0) this.#tap.data(Buffer.from(body));
  }

  /** The response is out, or the client is gone, or the connection was cut. */
  #close(): void {
    if (!this.#client.hasWholeAnswer && this.ending !== 'cut') this.ending = 'client-left';
    this.end(this.elapsedMs());
    this.#giveUp();
    this.#tap?.end(this.ending === 'complete' || this.ending === 'refused');
  }
}
