// The HTTP/1.1 connections to one server. One request at a time on each; the one used last is used next, so that those that are
// not needed grow idle and close.
import type { VersionTimeouts } from '../../rollout/policy.ts';
import type { Connector } from './connector.ts';
import { Http1Attempt } from './http1-attempt.ts';
import { type ConnectionOwner, Http1Connection } from './http1-connection.ts';
import { renderRequestHead, type RequestHead } from './http1-request-head.ts';
import { Ticks } from './ticks.ts';
import type { AnswerHandler, Attempt, UpstreamClient, UpstreamRequest } from './upstream-client.ts';

export type Http1ClientOptions = {
  readonly connector: Connector;
  readonly timeouts: VersionTimeouts;
};

/** A client without connections; they are made as requests come. */
export function createHttp1Client(options: Http1ClientOptions): UpstreamClient {
  return new Http1Client(options);
}

const noHead: RequestHead = { text: '', byteCount: 0 };

class Http1Client implements UpstreamClient, ConnectionOwner {
  readonly ticks: Ticks;
  readonly timeouts: VersionTimeouts;
  readonly #connector: Connector;
  readonly #open = new Set<Http1Connection>();
  /** The one used last at the end. */
  readonly #idle: Http1Connection[] = [];
  /** Called when the last connection is gone. */
  #onEmpty: (() => void) | null = null;
  #isClosed = false;

  constructor({ connector, timeouts }: Http1ClientOptions) {
    const { responseMs, idleMs } = timeouts;
    this.ticks = new Ticks(Math.max(10, Math.min(500, responseMs / 8, idleMs / 8)));
    this.timeouts = timeouts;
    this.#connector = connector;
  }

  send(request: UpstreamRequest, handler: AnswerHandler): Attempt {
    let attempt: Http1Attempt;
    try {
      attempt = new Http1Attempt(request, handler, renderRequestHead(request));
      if (this.#isClosed) throw new Error('the client is closed');
    } catch (error) {
      attempt = new Http1Attempt(request, handler, noHead);
      process.nextTick(() => attempt.fail('connect', error as Error));
      return attempt;
    }
    const idle = this.#idle.pop();
    if (idle === undefined) this.#open.add(new Http1Connection(this, this.#connector, attempt));
    else idle.take(attempt);
    return attempt;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#idle.length > 0) this.#idle.at(-1)!.close();
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  destroy(): void {
    this.#isClosed = true;
    for (const connection of this.#open) connection.destroy();
  }

  connectionIdle(connection: Http1Connection): void {
    if (this.#isClosed) connection.close();
    else this.#idle.push(connection);
  }

  connectionGone(connection: Http1Connection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    if (this.#open.size === 0) this.#onEmpty?.();
  }
}
