// Whoever watches: every change as it happens, figures each second, over server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html). A watcher who reads too slowly is let go, not waited for.
import type { ServerResponse } from 'node:http';
import type { AuditEntry } from '../rollout/audit-entry.ts';
import type { AdminParts } from './admin-parts.ts';
import { changeEventShape, figuresEventShape } from './contract.ts';
import { showAll } from './rollout-desk.ts';

export type StreamLimits = {
  readonly subscriberCount: number;
  /** What one watcher may leave unread. */
  readonly pendingBytes: number;
  readonly figuresEveryMs: number;
  readonly heartbeatEveryMs: number;
};

export const streamLimits: StreamLimits = {
  subscriberCount: 64,
  pendingBytes: 1_048_576,
  figuresEveryMs: 1_000,
  heartbeatEveryMs: 15_000,
};

export type StreamParts = Pick<AdminParts, 'rollouts' | 'servers' | 'changes'> & {
  /** An event could not be made. */
  failed(error: unknown): void;
};

/** `isAllowed`: asked again and again, so that a token that is taken away ends its streams. */
type Subscriber = { readonly response: ServerResponse; readonly isAllowed: () => boolean };

export class StreamHub {
  readonly #parts: StreamParts;
  readonly #limits: StreamLimits;
  readonly #subscribers = new Set<Subscriber>();
  #stop: (() => void) | null = null;

  constructor(parts: StreamParts, limits: StreamLimits) {
    this.#parts = parts;
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#subscribers.size >= this.#limits.subscriberCount;
  }

  /** Sends to a response from now on, until its connection closes. Its head has been written. */
  add(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber);
    subscriber.response.once('close', () => this.#remove(subscriber));
    this.#stop ??= this.#start();
    subscriber.response.write(`retry: 2000\n\n${this.#figures() ?? ''}`);
  }

  /** Ends every stream. */
  close(): void {
    for (const { response } of this.#subscribers) response.end();
    this.#stop?.();
    this.#stop = null;
  }

  #start(): () => void {
    const { figuresEveryMs, heartbeatEveryMs } = this.#limits;
    const unsubscribe = this.#parts.changes.subscribe((rollout, entry) => this.#send(this.#change(rollout, entry)));
    const figures = setInterval(() => this.#send(this.#figures()), figuresEveryMs);
    const heartbeat = setInterval(() => this.#send(': heartbeat\n\n'), heartbeatEveryMs);
    return () => {
      unsubscribe();
      clearInterval(figures);
      clearInterval(heartbeat);
    };
  }

  #remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size > 0) return;
    this.#stop?.();
    this.#stop = null;
  }

  /** The same text for everyone: made once, however many watch. */
  #send(text: string | null): void {
    if (text === null) return;
    for (const { response, isAllowed } of this.#subscribers) {
      if (!isAllowed()) response.end();
      else if (response.writableLength > this.#limits.pendingBytes) response.destroy();
      else response.write(text);
    }
  }

  #change(rollout: string, entry: AuditEntry): string | null {
    return this.#event('change', () => changeEventShape.parse({ rollout, revision: entry.revision, entry }));
  }

  #figures(): string | null {
    // Before the store has answered there is nothing to show, and nothing is wrong.
    if (this.#parts.rollouts.views() === null) return null;
    const atMs = Date.now();
    return this.#event('figures', () => figuresEventShape.parse({ atMs, rollouts: showAll(this.#parts, atMs) }));
  }

  #event(name: string, dataOf: () => unknown): string | null {
    try {
      return `event: ${name}\ndata: ${JSON.stringify(dataOf())}\n\n`;
    } catch (error) {
      this.#parts.failed(error);
      return null;
    }
  }
}
