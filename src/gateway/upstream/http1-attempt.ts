// One request and who waits for its answer, from before it has a connection until its end.
import type { FaultKind } from '../../rollout/outcome.ts';
import type { RequestHead } from './http1-request-head.ts';
import type { AnswerHandler, Attempt, UpstreamRequest } from './upstream-client.ts';

/** The connection that carries an attempt. */
export interface Carrier {
  resumeReading(): void;
  /** The attempt is of no interest any more. */
  abandon(): void;
}

export class Http1Attempt implements Attempt {
  readonly request: UpstreamRequest;
  readonly handler: AnswerHandler;
  readonly head: RequestHead;
  #carrier: Carrier | null = null;
  #isOver = false;

  constructor(request: UpstreamRequest, handler: AnswerHandler, head: RequestHead) {
    this.request = request;
    this.handler = handler;
    this.head = head;
  }

  resume(): void {
    this.#carrier?.resumeReading();
  }

  abort(): void {
    const carrier = this.#carrier;
    this.leave();
    carrier?.abandon();
  }

  board(carrier: Carrier): void {
    this.#carrier = carrier;
  }

  /** Its connection has nothing to do with it any more; what comes later is not for it. */
  leave(): void {
    this.#carrier = null;
    this.#isOver = true;
  }

  fail(kind: FaultKind, error: Error): void {
    if (this.#isOver) return;
    this.leave();
    this.handler.onFailed(kind, error);
  }
}
