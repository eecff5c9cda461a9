// The same request sent twice is done once: the answer is kept by the client's key for a day, and given again.
import { createHash } from 'node:crypto';
import { GraygateError } from '../errors.ts';
import type { Responses } from './admin-parts.ts';

/** An answer as it was sent. */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type KeyedRequest = {
  /** Who asks: nobody finds another's answers. */
  readonly by: string;
  readonly key: string;
  /** Everything that makes it this request and no other. */
  readonly parts: readonly string[];
  /** To be done although the store cannot say whether it was done before: what makes things safe. */
  readonly evenWithoutStore: boolean;
};

type Kept = Answer & { readonly fingerprint: string };

const keptFormat = 1;
const keptForMs = 24 * 60 * 60_000;

export class IdempotentActions {
  readonly #responses: Responses;
  readonly #running = new Map<string, Promise<Kept>>();

  constructor(responses: Responses) {
    this.#responses = responses;
  }

  /**
   * The answer to a request, done now or before (`replayed`). Throws `key-reused` where the key belongs to another request, and what
   * the store throws. An answer that says "try again" (5xx) is not kept.
   */
  async once(request: KeyedRequest, act: () => Promise<Answer>): Promise<Answer & { readonly replayed: boolean }> {
    const key = digest([request.by, request.key]);
    const fingerprint = digest(request.parts);
    const running = this.#running.get(key);
    if (running !== undefined) return replay(await running, fingerprint);
    const answering = this.#answer({ ...request, key }, fingerprint, act);
    const kept = answering.then(({ answer }) => answer);
    // Whoever waits for it hears of a failure; nobody may.
    kept.catch(() => undefined);
    this.#running.set(key, kept);
    try {
      const { answer, isNew } = await answering;
      return { ...replay(answer, fingerprint), replayed: !isNew };
    } finally {
      this.#running.delete(key);
    }
  }

  async #answer(
    { key, evenWithoutStore }: KeyedRequest,
    fingerprint: string,
    act: () => Promise<Answer>,
  ): Promise<{ readonly answer: Kept; readonly isNew: boolean }> {
    const known = await this.#find(key, evenWithoutStore);
    if (known !== null) return { answer: known, isNew: false };
    const answer = { ...(await act()), fingerprint };
    if (answer.status < 500) await this.#keep(key, answer);
    return { answer, isNew: true };
  }

  async #find(key: string, evenWithoutStore: boolean): Promise<Kept | null> {
    try {
      const found = await this.#responses.find({ key, nowMs: Date.now() });
      return found === null ? null : (found.value as Kept);
    } catch (error) {
      if (evenWithoutStore) return null;
      throw error;
    }
  }

  /** It is done by now: that it could not be kept changes nothing about the answer. */
  async #keep(key: string, answer: Kept): Promise<void> {
    const nowMs = Date.now();
    const response = { format: keptFormat, value: answer };
    await this.#responses.remember({ key, response, nowMs, expiresMs: nowMs + keptForMs }).catch(() => undefined);
  }
}

function replay({ fingerprint, ...answer }: Kept, asked: string): Answer & { readonly replayed: boolean } {
  if (fingerprint !== asked) throw new GraygateError('key-reused');
  return { ...answer, replayed: true };
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
