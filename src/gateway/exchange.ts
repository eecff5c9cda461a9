// One HTTP request after its decision: sends it to a server, and when that fails before the first byte of an answer has it sent
// elsewhere. Never holds a body; once the head of an answer is out nothing is tried again.
import type { Decision } from '../rollout/decide.ts';
import type { FaultKind } from '../rollout/outcome.ts';
import { Answering } from './answering.ts';
import type { ClientBody } from './client/client-side.ts';
import { canSendAgain, errorCodeOf, isOwnShortage } from './faults.ts';
import type { LiveRollout } from './live-policy.ts';
import type { BodyOwner } from './request-body.ts';
import type { UpstreamServer } from './servers/upstream-server.ts';
import { UnsendableError } from './upstream/unsendable.ts';
import type { AnswerHandler, Attempt } from './upstream/upstream-client.ts';

export class Exchange extends Answering implements BodyOwner, AnswerHandler {
  #body: ClientBody | null = null;
  /** The request was put on a connection. */
  #sent = false;
  /** Under way; null before and after. */
  #attempt: Attempt | null = null;
  /** Of an attempt that has a time of its own. */
  #tryTimer: NodeJS.Timeout | undefined;

  /** Sends the request to the version that was decided. */
  forward(liveRollout: LiveRollout, decision: Decision): void {
    this.begin(liveRollout, decision);
    if (liveRollout.onlookers.length > 0) this.letLookOn(liveRollout, decision);
    // Beyond 2^53 a length cannot be told from its neighbours, and would be sent on as one of them.
    const most = Math.min(this.livePolicy.policy.limits.bodyBytes, Number.MAX_SAFE_INTEGER);
    if (this.client.announcedByteCount > most) this.breakOff('body-too-large');
    else this.seek();
  }

  protected override attempt(upstream: UpstreamServer): void {
    this.#sent = false;
    const { idleMs } = this.livePolicy.policy.timeouts;
    this.#body = this.client.hasBody ? this.client.bodyFor(this, idleMs) : null;
    if (this.#body === null) this.awaitAnswer();
    const headers = this.headersFor(upstream, this.client.rawHeaders);
    const request = { path: this.path, method: this.method, headers, body: this.#body };
    const attempt = upstream.client.send(request, this);
    this.#attempt = attempt;
    // What the body brought at once may have ended it all.
    if (this.isCommitted || !this.isOpen) return this.abandon();
    const { perTryMs } = this.live!.version.serving.retries;
    if (perTryMs !== null && this.#canSendAgain('timeout')) this.#tryTimer = setTimeout(() => this.#cutTry(), perTryMs);
  }

  /** Gives up on a server that takes its time, if another one may be asked. */
  #cutTry(): void {
    if (this.isCommitted || !this.#canSendAgain('timeout') || !this.retry('timeout', this.#sent)) return;
    this.fault('timeout');
    this.#sendAgain();
  }

  onSent(): void {
    this.#sent = true;
  }

  onHead(status: number, reason: string, rawHeaders: readonly string[]): void {
    if (status > this.client.maxStatus) {
      this.abandon();
      return this.onFailed('protocol', new Error(`the status ${status} cannot be passed on`));
    }
    clearTimeout(this.#tryTimer);
    if (status >= 500 && this.#canSendAgain('timeout') && this.rejects(status)) return this.#sendAgain();
    if (status === 404 && this.crossOver()) return this.#sendAgain();
    this.answer(status, reason, rawHeaders);
  }

  onComplete(rawTrailers: readonly string[] | null): void {
    this.#attempt = null;
    this.complete(rawTrailers);
  }

  onFailed(kind: FaultKind, error: Error): void {
    clearTimeout(this.#tryTimer);
    this.#attempt = null;
    if (error instanceof UnsendableError) return this.breakOff('malformed-request');
    if (isOwnShortage(error)) return this.breakOff('too-many-connections');
    this.fault(kind);
    // What came before the fault in the same turn is on its way to the client first.
    if (this.isCommitted) process.nextTick(() => this.isOpen && this.cut());
    else this.#tryElsewhere(kind);
  }

  clientTakes(): void {
    this.#attempt?.resume();
  }

  bodyPassing(chunk: Buffer): boolean {
    this.requestByteCount += chunk.length;
    if (this.requestByteCount <= this.livePolicy.policy.limits.bodyBytes) {
      this.tap?.sent(chunk);
      return true;
    }
    this.breakOff('body-too-large');
    return false;
  }

  bodyEnded(): void {
    if (!this.isCommitted) this.awaitAnswer();
  }

  bodyStalled(): void {
    this.breakOff('request-timeout');
  }

  protected override abandon(): void {
    clearTimeout(this.#tryTimer);
    this.#attempt?.abort();
    this.#attempt = null;
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
    this.abandon();
    // Other connections that the server closed at the same moment are noticed first.
    setImmediate(() => {
      if (this.isOpen && !this.isCommitted) this.seek();
    });
  }
}
