// The HTTP/2 connections to one server: a request goes onto the first that has room, and where none has another is opened.
import type { VersionTimeouts } from '../../rollout/policy.ts';
import { ConnectFault, type Connector } from './connector.ts';
import { type AttemptOwner, Http2Attempt } from './http2-attempt.ts';
import { type ConnectionOwner, Http2Connection } from './http2-connection.ts';
import type { AnswerHandler, Attempt, UpstreamClient, UpstreamRequest } from './upstream-client.ts';

export type Http2Setting = {
  readonly origin: string;
  readonly timeouts: VersionTimeouts;
  /** Opens connections on which the server has agreed to speak HTTP/2. */
  readonly connector: Connector;
};

/** What a connection is expected to take before the server has said so (RFC 9113, 6.5.2, recommends no less). */
const expectedStreamCount = 100;

/** A client without connections; they are opened as requests come. */
export function createHttp2Client(setting: Http2Setting): UpstreamClient {
  return new Http2Client(setting);
}

class Http2Client implements UpstreamClient, AttemptOwner, ConnectionOwner {
  readonly timeouts: VersionTimeouts;
  readonly #setting: Http2Setting;
  /** Those that take new streams, or will once they are ready. */
  readonly #connections = new Set<Http2Connection>();
  /** Those whose last streams are under way. */
  readonly #leaving = new Set<Http2Connection>();
  readonly #waiting = new Set<Http2Attempt>();
  #isClosed = false;
  #whenClosed: (() => void) | null = null;

  constructor(setting: Http2Setting) {
    this.#setting = setting;
    this.timeouts = setting.timeouts;
  }

  send(request: UpstreamRequest, handler: AnswerHandler): Attempt {
    const attempt = new Http2Attempt(this, request, handler);
    process.nextTick(() => this.#place(attempt));
    return attempt;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    if (this.#waiting.size === 0) this.#letGo();
    return new Promise((resolve) => {
      this.#whenClosed = resolve;
      this.#noteClosed();
    });
  }

  destroy(): void {
    this.#isClosed = true;
    for (const attempt of this.#waiting) attempt.fail('reset', new Error('the client was destroyed'));
    for (const connection of [...this.#connections, ...this.#leaving]) connection.destroy();
  }

  #place(attempt: Http2Attempt): void {
    if (attempt.isOver) return;
    if (this.#isClosed) {
      attempt.fail('connect', new ConnectFault('connect', 'the client is closed'));
      return;
    }
    for (const connection of this.#connections) {
      if (connection.hasRoom) {
        attempt.begin(connection);
        return;
      }
    }
    this.#waiting.add(attempt);
    this.#openEnough();
  }

  #openEnough(): void {
    let room = 0;
    let expected = expectedStreamCount;
    for (const connection of this.#connections) {
      if (!connection.isReady) room += expectedStreamCount;
      else expected = Math.max(1, connection.limit);
    }
    if (this.#waiting.size <= room) return;
    for (; room < this.#waiting.size; room += expected) {
      const { origin, connector, timeouts } = this.#setting;
      this.#connections.add(new Http2Connection({ origin, connector, connectMs: timeouts.connectMs }, this));
    }
  }

  // What attempts ask for.

  again(attempt: Http2Attempt): boolean {
    if (this.#isClosed) return false;
    process.nextTick(() => this.#place(attempt));
    return true;
  }

  withdrawn(attempt: Http2Attempt): void {
    this.#waiting.delete(attempt);
    if (this.#isClosed && this.#waiting.size === 0) this.#letGo();
  }

  // What connections report.

  hasRoom(connection: Http2Connection): void {
    for (const attempt of this.#waiting) {
      if (!connection.hasRoom) break;
      this.#waiting.delete(attempt);
      attempt.begin(connection);
    }
    // Another connection would be told the same.
    if (connection.limit === 0) this.#failWaiting(new ConnectFault('connect', 'the server takes no streams'));
    if (this.#waiting.size > 0) this.#openEnough();
    else if (this.#isClosed) this.#letGo();
  }

  failed(connection: Http2Connection, fault: ConnectFault): void {
    this.#connections.delete(connection);
    this.#failWaiting(fault);
    this.closed(connection);
  }

  leaving(connection: Http2Connection): void {
    if (this.#connections.delete(connection)) this.#leaving.add(connection);
  }

  closed(connection: Http2Connection): void {
    this.#connections.delete(connection);
    this.#leaving.delete(connection);
    if (this.#waiting.size > 0) this.#openEnough();
    this.#noteClosed();
  }

  #failWaiting(fault: ConnectFault): void {
    for (const attempt of this.#waiting) attempt.fail(fault.kind, fault);
  }

  #letGo(): void {
    for (const connection of this.#connections) connection.leave();
  }

  #noteClosed(): void {
    if (this.#connections.size + this.#leaving.size + this.#waiting.size === 0) this.#whenClosed?.();
  }
}
