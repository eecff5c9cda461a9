// Waits for the end of an answer and then says which events it was. Only an answer that went out whole counts.
import { hash } from 'node:crypto';
import { valueAt } from '../../rollout/json-path.ts';
import type { BusinessEvent } from '../../rollout/experiment.ts';
import type { ByteString } from '../../rollout/policy.ts';
import type { AnswerTap, WatchedRequest } from '../answer-tap.ts';
import { findHeader } from '../raw-headers.ts';
import { readValue, unread, type UnreadReason, type ValueReading } from './event-value.ts';
import type { JsonAnswers, JsonReading } from './json-answers.ts';
import { JsonBody } from './json-body.ts';
import type { WatchedRule } from './watched-rules.ts';

/** An event that a request was, but for its value. */
export type UnreadEvent = { readonly rollout: string; readonly event: string; readonly reason: UnreadReason };

export type TapParts = {
  readonly answers: JsonAnswers;
  nowMs(): number;
  happened(event: BusinessEvent): void;
  unread(event: UnreadEvent): void;
};

/** A rule whose request came from this user. */
export type Doing = WatchedRule & { readonly user: ByteString };

export class EventTap implements AnswerTap {
  readonly #request: WatchedRequest;
  readonly #parts: TapParts;
  #doings: readonly Doing[];
  #answerHeaders: readonly string[] = [];
  /** Null: not looked into. */
  #body: JsonBody | null = null;

  constructor(request: WatchedRequest, doings: readonly Doing[], parts: TapParts) {
    this.#request = request;
    this.#doings = doings;
    this.#parts = parts;
  }

  sent(): void {
    // What the client sends is not looked into.
  }

  head(status: number, rawHeaders: readonly string[]): void {
    this.#answerHeaders = rawHeaders;
    this.#doings = this.#doings.filter(
      ({ rule }) => rule.statuses.length === 0 || rule.statuses.some(({ from, to }) => status >= from && status <= to),
    );
    if (this.#doings.some(({ rule }) => rule.value.kind === 'json')) this.#body = new JsonBody(rawHeaders);
  }

  data(chunk: Buffer): void {
    this.#body?.add(chunk);
  }

  end(isWhole: boolean): void {
    if (!isWhole) return;
    const atMs = this.#parts.nowMs();
    for (const doing of this.#doings) {
      const { value } = doing.rule;
      if (value.kind !== 'json') this.#say(doing, this.#valueOf(value), atMs);
    }
    if (this.#body !== null) this.#sayLater(this.#body, atMs);
  }

  #valueOf(source: Exclude<WatchedRule['rule']['value'], { kind: 'json' }>): ValueReading {
    const { facts } = this.#request;
    if (source.kind === 'constant') return { ok: true, value: source.value };
    if (source.kind === 'query') return readValue(facts.query(source.name));
    return readValue(findHeader(this.#answerHeaders, source.name) ?? facts.header(source.name));
  }

  #sayLater(body: JsonBody, atMs: number): void {
    const taken = body.taken();
    if (typeof taken === 'string') return this.#sayRead(unread(taken), atMs);
    const isTaken = this.#parts.answers.add({ ...taken, read: (reading) => this.#sayRead(reading, atMs) });
    if (!isTaken) this.#sayRead(unread('busy'), atMs);
  }

  #sayRead(reading: JsonReading, atMs: number): void {
    for (const doing of this.#doings) {
      const { value } = doing.rule;
      if (value.kind !== 'json') continue;
      this.#say(doing, reading.ok ? readValue(valueAt(reading.document, value.path)) : reading, atMs);
    }
  }

  #say({ rule, of, user }: Doing, reading: ValueReading, atMs: number): void {
    const rollout = of.rollout.name;
    const event = rule.name;
    if (!reading.ok) return this.#parts.unread({ rollout, event, reason: reading.reason });
    this.#parts.happened({ id: this.#idOf(user, event), rollout, user, event, value: reading.value, atMs });
  }

  /** The same for the same request sent again; another user's request with the same key is another one. */
  #idOf(user: ByteString, event: string): string {
    const { facts, requestId } = this.#request;
    // Services pass the ID of a request on with all that they ask for it.
    const key = facts.header('idempotency-key') || [requestId, facts.method, facts.target.path, facts.target.query];
    return `traffic:${hash('sha256', JSON.stringify([user, event, key]), 'base64url').slice(0, 22)}`;
  }
}
