// One HTTP request: sends it to a server, and when that fails before the first byte of an answer has it sent elsewhere. Never
// holds a body; once the head of an answer is out nothing is tried again.
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import type { FaultKind } from '../rollout/outcome.ts';
import type { ClientBody, ClientSide, SlowClientOwner } from './client/client-side.ts';
import { ClientAnswer, type Fetcher } from './client-answer.ts';
import { canSendAgain, errorCodeOf, isOwnShortage } from './faults.ts';
import { Journey, type Traveller } from './journey.ts';
import type { LiveRollout } from './live-policy.ts';
import type { BodyOwner } from './request-body.ts';
import type { RequestRecord } from './request-record.ts';
import type { Routable } from './route.ts';
import type { UpstreamServer } from './servers/upstream-server.ts';
import { UnsendableError } from './upstream/unsendable.ts';
import type { AnswerHandler, Attempt } from './upstream/upstream-client.ts';

export class Exchange implements Routable, Traveller, Fetcher, BodyOwner, AnswerHandler, SlowClientOwner {
  readonly record: RequestRecord;
  readonly #client: ClientSide;
  readonly #answer: ClientAnswer;
  /** Null before the decision. */
  #journey: Journey | null = null;
  #body: ClientBody | null = null;
  /** The request was put on a connection. */
  #sent = false;
  /** Under way; null before and after. */
  #attempt: Attempt | null = null;
  /** Of an attempt that has a time of its own. */
  #tryTimer: NodeJS.Timeout | undefined;

  constructor(record: RequestRecord, client: ClientSide) {
    this.record = record;
    this.#client = client;
    this.#answer = new ClientAnswer(this, client);
    client.onClose(() => this.#close());
  }

  /** Its answer is the last one on the connection, because what follows cannot be trusted. */
  get closesConnection(): boolean {
    return this.#answer.closesConnection;
  }

  /** Whether the client has sent the request to its end. */
  get hasWholeRequest(): boolean {
    return this.#client.hasWholeRequest;
  }

  /** Calls back when the response is out or its connection is gone. */
  onceAnswered(callback: () => void): void {
    this.#client.onClose(callback);
  }

  /** Sends the request to the version that was decided. */
  forward(liveRollout: LiveRollout, decision: Decision): void {
    this.#journey = new Journey(this, liveRollout, decision);
    if (liveRollout.onlookers.length > 0) this.#answer.letLookOn(liveRollout, decision);
    // Beyond 2^53 a length cannot be told from its neighbours, and would be sent on as one of them.
    const most = Math.min(this.record.livePolicy.policy.limits.bodyBytes, Number.MAX_SAFE_INTEGER);
    if (this.#client.announcedByteCount > most) this.breakOff('body-too-large');
    else this.#journey.seek();
  }

  refuse(code: ErrorCode, options: { detail?: string; close?: boolean } = {}): void {
    this.#answer.refuse(code, options);
  }

  /** The client's side of the request went wrong: refuses it, or cuts a response that has begun. */
  breakOff(code: ErrorCode): void {
    if (this.#answer.isCommitted) this.#answer.cut();
    else this.refuse(code, { close: true });
  }

  attempt(upstream: UpstreamServer): void {
    const { record } = this;
    this.#sent = false;
    this.#body = this.#client.hasBody ? this.#client.bodyFor(this, record.livePolicy.policy.timeouts.idleMs) : null;
    if (this.#body === null) record.awaitAnswer();
    const headers = record.headersFor(upstream, this.#client.rawHeaders);
    const request = { path: record.path, method: record.method, headers, body: this.#body };
    this.#attempt = upstream.client.send(request, this);
    // What the body brought at once may have ended it all.
    if (this.#isAnswered) return this.abandon();
    const { perTryMs } = record.live!.version.serving.retries;
    if (perTryMs !== null && this.#canSendAgain('timeout')) this.#tryTimer = setTimeout(() => this.#cutTry(), perTryMs);
  }

  abandon(): void {
    clearTimeout(this.#tryTimer);
    this.#attempt?.abort();
    this.#attempt = null;
  }

  onSent(): void {
    this.#sent = true;
  }

  onInterim(status: number, rawHeaders: readonly string[]): void {
    this.#client.interim(status, rawHeaders);
  }

  onHead(status: number, reason: string, rawHeaders: readonly string[]): void {
    if (status > this.#client.maxStatus) {
      this.abandon();
      return this.onFailed('protocol', new Error(`the status ${status} cannot be passed on`));
    }
    const journey = this.#journey!;
    clearTimeout(this.#tryTimer);
    if (status >= 500 && this.#canSendAgain('timeout') && journey.rejects(status)) return this.#sendAgain();
    if (status === 404 && journey.crossOver()) return this.#sendAgain();
    journey.noteAnswer(this.#answer.statusOf(status, rawHeaders));
    this.#answer.head(status, reason, rawHeaders);
  }

  onData(chunk: Buffer, isLast = false): boolean {
    if (this.#answer.data(chunk, isLast)) return true;
    this.#client.awaitRoom(this, this.record.livePolicy.policy.timeouts.idleMs);
    return false;
  }

  onComplete(rawTrailers: readonly string[] | null): void {
    this.#attempt = null;
    this.#answer.complete(rawTrailers);
  }

  onFailed(kind: FaultKind, error: Error): void {
    clearTimeout(this.#tryTimer);
    this.#attempt = null;
    if (error instanceof UnsendableError) return this.breakOff('malformed-request');
    if (isOwnShortage(error)) return this.breakOff('too-many-connections');
    this.#journey!.fault(kind);
    // What came before the fault in the same turn is on its way to the client first.
    if (this.#answer.isCommitted) process.nextTick(() => this.record.isOpen && this.#answer.cut());
    else this.#tryElsewhere(kind);
  }

  clientTakes(): void {
    this.#attempt?.resume();
  }

  clientStalled(): void {
    this.#answer.cut();
  }

  bodyPassing(chunk: Buffer): boolean {
    const { record } = this;
    record.requestByteCount += chunk.length;
    const fits = record.requestByteCount <= record.livePolicy.policy.limits.bodyBytes;
    if (fits) this.#answer.bodyPassing(chunk);
    else this.breakOff('body-too-large');
    return fits;
  }

  bodyEnded(): void {
    if (!this.#answer.isCommitted) this.record.awaitAnswer();
  }

  bodyStalled(): void {
    this.breakOff('request-timeout');
  }

  get #isAnswered(): boolean {
    return this.#answer.isCommitted || !this.record.isOpen;
  }

  /** Gives up on a server that takes its time, if another one may be asked. */
  #cutTry(): void {
    const journey = this.#journey!;
    if (this.#answer.isCommitted || !this.#canSendAgain('timeout') || !journey.retry('timeout', this.#sent)) return;
    journey.fault('timeout');
    this.#sendAgain();
  }

  #tryElsewhere(kind: FaultKind): void {
    if (this.#canSendAgain(kind) && this.#journey!.redirect(kind, this.#sent)) return this.#sendAgain();
    this.refuse(errorCodeOf(kind), { close: this.#body?.touched === true });
  }

  #canSendAgain(kind: FaultKind): boolean {
    const bodyTouched = this.#body?.touched === true;
    return canSendAgain(kind, { method: this.record.method, written: this.#sent, bodyTouched });
  }

  #sendAgain(): void {
    this.abandon();
    // Other connections that the server closed at the same moment are noticed first.
    setImmediate(() => {
      if (!this.#isAnswered) this.#journey!.seek();
    });
  }

  /** The response is out, or the client is gone, or the connection was cut. */
  #close(): void {
    const { record } = this;
    if (!this.#client.hasWholeAnswer && record.ending !== 'cut') record.ending = 'client-left';
    record.end(record.elapsedMs(), this.#journey);
    this.abandon();
    this.#answer.closeTap();
  }
}
