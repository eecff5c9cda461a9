// What the connections to one server offer to a request, whichever protocol they speak: one attempt in, its answer out. Types
// only. Retries, health and turn-taking are not known here.
import type { FaultKind } from '../../rollout/outcome.ts';

export type UpstreamRequest = {
  readonly method: string;
  /** Path and query, as the client sent them. */
  readonly path: string;
  /** Raw headers, names and values in turn, `Host` among them; no hop-by-hop ones. A body without `Content-Length` is sent in chunks. */
  readonly headers: readonly string[];
  readonly body: BodySource | null;
};

/** A body that is sent as it comes and cannot be had twice. */
export interface BodySource {
  /** Begins to give, once, when a connection is ready to take; from then on the request cannot be sent again. */
  start(sink: BodySink): void;
  /** The sink takes again, after it had said that it is full. */
  resume(): void;
  /** Nobody takes any more; what the client still sends is thrown away. A second call does nothing. */
  stop(): void;
}

export interface BodySink {
  /** False: full; nothing more until `resume`. */
  data(chunk: Buffer): boolean;
  /** Raw trailers, or none. */
  end(rawTrailers: readonly string[] | null): void;
}

/** What becomes of an attempt, in this order; `complete` or `failed` comes last, once, and nothing after it or after `abort`. */
export interface AnswerHandler {
  /** The request goes onto a connection: from now on the server may have seen it. */
  onSent(): void;
  onInterim(status: number, rawHeaders: readonly string[]): void;
  /** Header names and values as bytes (one char each), as they came. `reason` is empty in HTTP/2. */
  onHead(status: number, reason: string, rawHeaders: readonly string[]): void;
  /**
   * The chunk is the handler's to keep. False: no more until `Attempt.resume`, but for what is decrypted already. `isLast`:
   * `onComplete` follows in the same turn.
   */
  onData(chunk: Buffer, isLast?: boolean): boolean;
  onComplete(rawTrailers: readonly string[] | null): void;
  /** Never sent, or not answered, or cut in the middle; `kind` says how. */
  onFailed(kind: FaultKind, error: Error): void;
}

/** One attempt under way. */
export interface Attempt {
  /** The handler takes data again. */
  resume(): void;
  /** Gives up without a word to the handler; the connection is not used again where an answer was owed. */
  abort(): void;
}

/** The connections to one address. Opens them as they are needed and keeps idle ones. */
export interface UpstreamClient {
  /** Never throws; every failure goes to the handler, and never in the same turn. */
  send(request: UpstreamRequest, handler: AnswerHandler): Attempt;
  /** Takes nothing new; resolves once what is under way has ended. */
  close(): Promise<void>;
  /** Cuts everything. */
  destroy(): void;
}
