// What the client of a request is told: a server's answer as it comes, or a problem; never both, and nothing twice. Who is asked,
// and when an attempt is given up, is decided elsewhere. Never holds a body.
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import { grpcStatuses, httpStatusOfGrpc } from '../rollout/grpc-status.ts';
import type { Ending } from '../rollout/outcome.ts';
import type { AnswerTap } from './answer-tap.ts';
import { tapFor } from './answer-taps.ts';
import type { ClientSide, SlowClientOwner } from './client/client-side.ts';
import { grpcStatusIn, isGrpc } from './grpc.ts';
import { Journey } from './journey.ts';
import type { LiveRollout } from './live-policy.ts';
import { pageCookie } from './page-cookie.ts';
import type { RenderedProblem } from './problem.ts';
import { findHeader } from './raw-headers.ts';
import type { JourneySetting, JourneyStart } from './request-record.ts';
import { returnedHeaders } from './response-headers.ts';
import { lastTrailers, type StreamKind, streamKindOf } from './stream-kind.ts';
import { keepChunk } from './upstream/slabs.ts';

export abstract class Answering extends Journey implements SlowClientOwner {
  /** Its answer is the last one on the connection, because what follows cannot be trusted. */
  closesConnection = false;
  protected readonly client: ClientSide;
  /** The response's head is on its way. */
  protected isCommitted = false;
  protected tap: AnswerTap | null = null;
  /** The last piece of the answer, kept for the end that follows at once. */
  #lastPiece: Buffer | null = null;
  #streamKind: StreamKind | null = null;
  /** How the answer ends is said in its trailers. */
  #isGrpc = false;

  constructor(setting: JourneySetting, start: JourneyStart, client: ClientSide) {
    super(setting, start);
    this.client = client;
    client.onClose(() => this.#close());
  }

  /** Whether the client has sent the request to its end. */
  get hasWholeRequest(): boolean {
    return this.client.hasWholeRequest;
  }

  /** Calls back when the response is out or its connection is gone. */
  onceAnswered(callback: () => void): void {
    this.client.onClose(callback);
  }

  /** Gives up the attempt under way, if there is one. */
  protected abstract abandon(): void;

  abstract clientTakes(): void;

  /** Answers with a problem and, where the rest of the request cannot be trusted or awaited, closes the connection. */
  refuse(code: ErrorCode, options: { detail?: string; close?: boolean } = {}): void {
    if (this.isCommitted || !this.isOpen) return;
    const problem = this.problemOf(code, options.detail);
    if (options.close === true || this.setting.isDraining()) this.client.announceClose(problem.headers);
    if (options.close === true) {
      this.closesConnection = true;
      this.client.closeAfterAnswer();
    }
    this.#commit(problem.status, 'refused');
    this.abandon();
    if (this.method !== 'HEAD') this.responseByteCount = Buffer.byteLength(problem.body);
    this.#tapProblem(problem);
    this.client.refuse(problem);
  }

  /** The client's side of the request went wrong: refuses it, or cuts a response that has begun. */
  breakOff(code: ErrorCode): void {
    if (this.isCommitted) this.cut();
    else this.refuse(code, { close: true });
  }

  onInterim(status: number, rawHeaders: readonly string[]): void {
    this.client.interim(status, rawHeaders);
  }

  onData(chunk: Buffer, isLast = false): boolean {
    this.responseByteCount += chunk.length;
    if (this.tap !== null) {
      this.tap.data(chunk);
      keepChunk(chunk);
    }
    if (isLast) {
      this.#lastPiece = chunk;
      return true;
    }
    if (this.client.write(chunk)) return true;
    this.client.awaitRoom(this, this.livePolicy.policy.timeouts.idleMs);
    return false;
  }

  clientStalled(): void {
    this.cut();
  }

  /** Has those who look on at the rollout see the request and its answer. */
  protected letLookOn({ onlookers }: LiveRollout, decision: Decision): void {
    const { facts, requestId } = this;
    this.tap = tapFor(onlookers, { facts, requestId, decision, rawHeaders: this.client.rawHeaders });
  }

  /** Passes on the head of the answer, with what the gateway adds to it. */
  protected answer(status: number, reason: string, rawHeaders: readonly string[]): void {
    const headers = returnedHeaders(status, rawHeaders, this.client.canCarryTrailers(status));
    for (const text of this.live!.exposedHeaders) headers.push(text);
    const cookie = this.issuedCookie();
    if (cookie !== null) headers.push('Set-Cookie', cookie);
    const page = pageCookie(this.rollout!.skew, this.live!.version.name, { facts: this.facts, headers });
    if (page !== null) headers.push('Set-Cookie', page);
    if (this.setting.isDraining()) this.client.announceClose(headers);
    this.noteAnswer(this.live!.version.http2 ? this.#statusWithGrpc(status, rawHeaders) : status);
    this.#commit(status, 'client-left');
    this.tap?.head(status, headers);
    this.#streamKind = streamKindOf(headers);
    if (this.#streamKind !== null) this.beginStream(() => this.#withdraw());
    this.client.head(status, reason, headers);
  }

  /** The answer is whole. */
  protected complete(rawTrailers: readonly string[] | null): void {
    this.ending = 'complete';
    if (this.#isGrpc) this.grpcStatus ??= grpcStatusIn(rawTrailers ?? []) ?? grpcStatuses.unknown;
    this.client.end(this.#lastPiece, rawTrailers);
  }

  protected cut(): void {
    this.ending = 'cut';
    this.client.cut();
  }

  /** The status that an answer stands for, as far as its head says. */
  #statusWithGrpc(status: number, rawHeaders: readonly string[]): number {
    this.#isGrpc = isGrpc(findHeader(rawHeaders, 'content-type'));
    if (this.#isGrpc) this.grpcStatus = grpcStatusIn(rawHeaders);
    return this.grpcStatus === null || status >= 500 ? status : httpStatusOfGrpc(this.grpcStatus);
  }

  #commit(status: number, ending: Ending): void {
    this.isCommitted = true;
    this.status = status;
    this.ending = ending;
  }

  /** Ends an answer that goes on and on, as its server would have ended it. */
  #withdraw(): void {
    if (!this.isOpen || this.ending === 'complete') return;
    this.abandon();
    this.ending = 'complete';
    this.client.end(null, lastTrailers(this.#streamKind!));
  }

  #tapProblem({ status, headers, body }: RenderedProblem): void {
    if (this.tap === null) return;
    this.tap.head(status, headers);
    if (this.responseByteCount > 0) this.tap.data(Buffer.from(body));
  }

  /** The response is out, or the client is gone, or the connection was cut. */
  #close(): void {
    if (!this.client.hasWholeAnswer && this.ending !== 'cut') this.ending = 'client-left';
    this.end(this.elapsedMs());
    this.abandon();
    this.tap?.end(this.ending === 'complete' || this.ending === 'refused');
  }
}
