// What a request's way knows of the client, whichever protocol it speaks: what it sent, and how the answer goes back. Types only.
import type { RenderedProblem } from '../problem.ts';
import type { BodyOwner } from '../request-body.ts';
import type { BodySource } from '../upstream/upstream-client.ts';

/** A body of a client; once `touched` it cannot be sent again. */
export interface ClientBody extends BodySource {
  readonly touched: boolean;
}

/** Told about a client that took nothing for a while. */
export interface SlowClientOwner {
  /** It has taken what it was given. */
  clientTakes(): void;
  /** It took nothing for the time that it had. */
  clientStalled(): void;
}

/** One request and the way its answer goes back. The head is written once, by `head` or `refuse`. */
export interface ClientSide {
  /** Names and values in turn, `Host` among them; no pseudo-headers. */
  readonly rawHeaders: readonly string[];
  readonly hasBody: boolean;
  /** The body's length as it was announced; 0 where it was not. */
  readonly announcedByteCount: number;
  /** The client has sent the request to its end. */
  readonly hasWholeRequest: boolean;
  /** The answer has gone out to its end. */
  readonly hasWholeAnswer: boolean;
  /** The largest status that the protocol can carry. */
  readonly maxStatus: number;
  /** Calls back once, when the answer is out or nobody waits for it any more. */
  onClose(callback: () => void): void;
  bodyFor(owner: BodyOwner, idleMs: number): ClientBody;
  /** Says in the head, where the protocol can, that the answer is the last one on its connection. */
  announceClose(headers: string[]): void;
  /** Nothing that the client sends after the answer is to be read. To be called before the answer. */
  closeAfterAnswer(): void;
  interim(status: number, rawHeaders: readonly string[]): void;
  /** Whether trailers could follow an answer of this status. */
  canCarryTrailers(status: number): boolean;
  /** Sent by itself unless a body follows in the same turn. `headers` is the callee's to keep. */
  head(status: number, reason: string, headers: string[]): void;
  /** False: full; `awaitRoom` says when it is not. */
  write(chunk: Buffer): boolean;
  awaitRoom(owner: SlowClientOwner, idleMs: number): void;
  /** Trailers are dropped where the answer's framing cannot carry them. */
  end(last: Buffer | null, rawTrailers: readonly string[] | null): void;
  /** The whole answer; of a HEAD request its head only. */
  refuse(problem: RenderedProblem): void;
  /** Ends an answer that is not whole so that the client sees it. */
  cut(): void;
}
