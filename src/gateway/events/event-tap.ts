// Waits for the end of an answer and then says which events it was. Only an answer that went out whole counts.
import { hash } from 'node:crypto';
import { valueAt } from '../../rollout/json-path.ts';
import type { BusinessEvent } from '../../rollout/experiment.ts';
import type { ByteString } from '../../rollout/policy.ts';
import type { AnswerTap, WatchedRequest } from '../answer-tap.ts';
import { findHeader } from '../raw-headers.ts';
import { readValue, unread, type UnreadReason, type ValueReading } from './event-value.ts';
import { type JsonAnswers, largestJsonBytes } from './json-answers.ts';
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
  /** The body as far as it is looked into; null: it is not. */
  #chunks: Buffer[] | null = null;
  #byteCount = 0;
  #whyNotJson: UnreadReason = 'not-json';

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
    if (this.#doings.some(({ rule }) => rule.value.kind === 'json')) this.#beginBody(rawHeaders);
  }

  data(chunk: Buffer): void {
    if (this.#chunks === null) return;
    this.#byteCount += chunk.length;
    if (this.#byteCount <= largestJsonBytes) this.#chunks.push(chunk);
    else this.#giveUp();
  }

  end(isWhole: boolean): void {
    if (!isWhole) return;
    const atMs = this.#parts.nowMs();
    for (const doing of this.#doings) {
      const { value } = doing.rule;
      if (value.kind === 'json') this.#sayLater(doing, value.path, atMs);
      else this.#say(doing, this.#valueOf(value), atMs);
    }
  }

  #beginBody(rawHeaders: readonly string[]): void {
    const type = findHeader(rawHeaders, 'content-type') ?? '';
    const encoding = findHeader(rawHeaders, 'content-encoding') ?? 'identity';
    if (!/^application\/json\s*(?:;|$)/i.test(type) || encoding.toLowerCase() !== 'identity') return;
    if (Number(findHeader(rawHeaders, 'content-length') ?? 0) > largestJsonBytes) this.#giveUp();
    else this.#chunks = [];
  }

  #giveUp(): void {
    this.#chunks = null;
    this.#whyNotJson = 'too-large';
  }

  #valueOf(source: Exclude<WatchedRule['rule']['value'], { kind: 'json' }>): ValueReading {
    const { facts } = this.#request;
    if (source.kind === 'constant') return { ok: true, value: source.value };
    if (source.kind === 'query') return readValue(facts.query(source.name));
    return readValue(findHeader(this.#answerHeaders, source.name) ?? facts.header(source.name));
  }

  #sayLater(doing: Doing, path: readonly string[], atMs: number): void {
    if (this.#chunks === null) return this.#say(doing, unread(this.#whyNotJson), atMs);
    // A copy: the pieces may be small parts of large memory.
    const body = Buffer.concat(this.#chunks);
    const isTaken = this.#parts.answers.add(body, (document) => {
      const reading = document === undefined ? unread('not-json') : readValue(valueAt(document, path));
      this.#say(doing, reading, atMs);
    });
    if (!isTaken) this.#say(doing, unread('busy'), atMs);
  }

  #say({ rule, of, user }: Doing, reading: ValueReading, atMs: number): void {
    const rollout = of.rollout.name;
    const event = rule.name;
    if (!reading.ok) return this.#parts.unread({ rollout, event, reason: reading.reason });
    this.#parts.happened({ id: this.#idOf(user, event), rollout, user, event, value: reading.value, atMs });
  }

  /** The same for the same request sent again; another user's request with the same ID is another one. */
  #idOf(user: ByteString, event: string): string {
    const key = this.#request.facts.header('idempotency-key') ?? this.#request.requestId;
    return `traffic:${hash('sha256', JSON.stringify([user, event, key]), 'base64url').slice(0, 22)}`;
  }
}
