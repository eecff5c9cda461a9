// Sends requests through a client to servers, as the gateway does, and records what came of each.
import type { FaultKind } from '../../src/rollout/outcome.ts';
import type {
  AnswerHandler,
  Attempt,
  BodySink,
  BodySource,
  UpstreamClient,
  UpstreamRequest,
} from '../../src/gateway/upstream/upstream-client.ts';

/** What has come of an attempt so far. */
export class Recorded implements AnswerHandler {
  readonly events: string[] = [];
  readonly interims: { readonly status: number; readonly rawHeaders: readonly string[] }[] = [];
  readonly chunks: Buffer[] = [];
  status = 0;
  rawHeaders: readonly string[] = [];
  trailers: readonly string[] | null = null;
  kind: FaultKind | null = null;
  error: Error | null = null;
  /** Takes data; false holds the server back until `attempt.resume`. */
  takes = true;
  attempt!: Attempt;
  readonly #ended = Promise.withResolvers<void>();

  /** Resolves once the attempt is complete or has failed. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  get byteCount(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  onSent(): void {
    this.events.push('sent');
  }

  onInterim(status: number, rawHeaders: readonly string[]): void {
    this.events.push('interim');
    this.interims.push({ status, rawHeaders });
  }

  onHead(status: number, _reason: string, rawHeaders: readonly string[]): void {
    this.events.push('head');
    this.status = status;
    this.rawHeaders = rawHeaders;
  }

  onData(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    return this.takes;
  }

  onComplete(rawTrailers: readonly string[] | null): void {
    this.events.push('complete');
    this.trailers = rawTrailers;
    this.#ended.resolve();
  }

  onFailed(kind: FaultKind, error: Error): void {
    this.events.push('failed');
    this.kind = kind;
    this.error = error;
    this.#ended.resolve();
  }
}

/** A body that a test sends by hand. */
export class HandBody implements BodySource {
  sink: BodySink | null = null;
  resumeCount = 0;
  isStopped = false;
  readonly #started = Promise.withResolvers<BodySink>();

  /** Resolves with the sink once a connection takes the body. */
  get started(): Promise<BodySink> {
    return this.#started.promise;
  }

  start(sink: BodySink): void {
    this.sink = sink;
    this.#started.resolve(sink);
  }

  resume(): void {
    this.resumeCount += 1;
  }

  stop(): void {
    this.isStopped = true;
  }
}

/** A body that is there as a whole. */
export function wholeBody(bytes: string, trailers: readonly string[] | null = null): BodySource {
  return {
    start(sink) {
      sink.data(Buffer.from(bytes, 'latin1'));
      sink.end(trailers);
    },
    resume: () => undefined,
    stop: () => undefined,
  };
}

export type RequestSketch = Partial<UpstreamRequest>;

/** Sends a request: a GET of `/` at `shop.test` unless the sketch says otherwise. */
export function attempt(client: UpstreamClient, sketch: RequestSketch = {}): Recorded {
  const recorded = new Recorded();
  const request = { method: 'GET', path: '/', headers: ['Host', 'shop.test'], body: null, ...sketch };
  recorded.attempt = client.send(request, recorded);
  return recorded;
}
