// What the client of a request is told: a server's answer as it comes, or a problem; never both, and nothing twice. Who is asked,
// and when an attempt is given up, is decided elsewhere. Never holds a body.
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import { grpcStatuses, httpStatusOfGrpc } from '../rollout/grpc-status.ts';
import type { Ending } from '../rollout/outcome.ts';
import type { AnswerTap } from './answer-tap.ts';
import { tapFor } from './answer-taps.ts';
import type { ClientSide } from './client/client-side.ts';
import { grpcStatusIn, isGrpc } from './grpc.ts';
import type { LiveRollout } from './live-policy.ts';
import { pageCookie } from './page-cookie.ts';
import type { RenderedProblem } from './problem.ts';
import { findHeader } from './raw-headers.ts';
import type { RequestRecord } from './request-record.ts';
import { returnedHeaders } from './response-headers.ts';
import { lastTrailers, type StreamKind, streamKindOf } from './stream-kind.ts';
import { keepChunk } from './upstream/slabs.ts';

/** Who has the answer fetched. */
export interface Fetcher {
  readonly record: RequestRecord;
  /** Gives up the attempt under way, if there is one. */
  abandon(): void;
}

export class ClientAnswer {
  /** It is the last one on the connection, because what follows cannot be trusted. */
  closesConnection = false;
  /** Its head is on its way. */
  isCommitted = false;
  readonly #fetcher: Fetcher;
  readonly #record: RequestRecord;
  readonly #client: ClientSide;
  #tap: AnswerTap | null = null;
  /** The last piece, kept for the end that follows at once. */
  #lastPiece: Buffer | null = null;
  #streamKind: StreamKind | null = null;
  /** How it ends is said in its trailers. */
  #isGrpc = false;

  constructor(fetcher: Fetcher, client: ClientSide) {
    this.#fetcher = fetcher;
    this.#record = fetcher.record;
    this.#client = client;
  }

  /** Has those who look on at the rollout see the request and its answer. */
  letLookOn({ onlookers }: LiveRollout, decision: Decision): void {
    const { facts, requestId } = this.#record;
    this.#tap = tapFor(onlookers, { facts, requestId, decision, rawHeaders: this.#client.rawHeaders });
  }

  /** A piece of the request's body goes to the server. */
  bodyPassing(chunk: Buffer): void {
    this.#tap?.sent(chunk);
  }

  /** A problem and, where the rest of the request cannot be trusted or awaited, the end of the connection. */
  refuse(code: ErrorCode, { detail, close }: { detail?: string; close?: boolean }): void {
    const record = this.#record;
    if (this.isCommitted || !record.isOpen) return;
    const problem = record.problemOf(code, detail);
    if (close === true || record.setting.isDraining()) this.#client.announceClose(problem.headers);
    if (close === true) {
      this.closesConnection = true;
      this.#client.closeAfterAnswer();
    }
    this.#commit(problem.status, 'refused');
    this.#fetcher.abandon();
    if (record.method !== 'HEAD') record.responseByteCount = Buffer.byteLength(problem.body);
    this.#tapProblem(problem);
    this.#client.refuse(problem);
  }

  /** The status that a server's answer stands for, as far as its head says. */
  statusOf(status: number, rawHeaders: readonly string[]): number {
    const record = this.#record;
    if (!record.live!.version.http2) return status;
    this.#isGrpc = isGrpc(findHeader(rawHeaders, 'content-type'));
    if (this.#isGrpc) record.grpcStatus = grpcStatusIn(rawHeaders);
    return record.grpcStatus === null || status >= 500 ? status : httpStatusOfGrpc(record.grpcStatus);
  }

  /** Passes on the head of a server's answer, with what the gateway adds to it. */
  head(status: number, reason: string, rawHeaders: readonly string[]): void {
    const record = this.#record;
    const headers = returnedHeaders(status, rawHeaders, this.#client.canCarryTrailers(status));
    for (const text of record.live!.exposedHeaders) headers.push(text);
    const cookie = record.issuedCookie();
    if (cookie !== null) headers.push('Set-Cookie', cookie);
    const page = pageCookie(record.rollout!.skew, record.live!.version.name, { facts: record.facts, headers });
    if (page !== null) headers.push('Set-Cookie', page);
    if (record.setting.isDraining()) this.#client.announceClose(headers);
    this.#commit(status, 'client-left');
    this.#tap?.head(status, headers);
    this.#streamKind = streamKindOf(headers);
    if (this.#streamKind !== null) record.beginStream(() => this.#withdraw());
    this.#client.head(status, reason, headers);
  }

  /** False: the client has no room for more. */
  data(chunk: Buffer, isLast: boolean): boolean {
    this.#record.responseByteCount += chunk.length;
    if (this.#tap !== null) {
      this.#tap.data(chunk);
      keepChunk(chunk);
    }
    if (!isLast) return this.#client.write(chunk);
    this.#lastPiece = chunk;
    return true;
  }

  /** It is whole. */
  complete(rawTrailers: readonly string[] | null): void {
    const record = this.#record;
    record.ending = 'complete';
    if (this.#isGrpc) record.grpcStatus ??= grpcStatusIn(rawTrailers ?? []) ?? grpcStatuses.unknown;
    this.#client.end(this.#lastPiece, rawTrailers);
  }

  cut(): void {
    this.#record.ending = 'cut';
    this.#client.cut();
  }

  /** Those who looked on have seen all that there was. */
  closeTap(): void {
    const { ending } = this.#record;
    this.#tap?.end(ending === 'complete' || ending === 'refused');
  }

  #commit(status: number, ending: Ending): void {
    this.isCommitted = true;
    this.#record.status = status;
    this.#record.ending = ending;
  }

  /** Ends an answer that goes on and on, as its server would have ended it. */
  #withdraw(): void {
    const record = this.#record;
    if (!record.isOpen || record.ending === 'complete') return;
    this.#fetcher.abandon();
    record.ending = 'complete';
    this.#client.end(null, lastTrailers(this.#streamKind!));
  }

  #tapProblem({ status, headers, body }: RenderedProblem): void {
    if (this.#tap === null) return;
    this.#tap.head(status, headers);
    if (this.#record.responseByteCount > 0) this.#tap.data(Buffer.from(body));
  }
}
