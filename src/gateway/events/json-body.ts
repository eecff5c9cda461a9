// The JSON body of an answer, kept while it passes so that values can be read from it later; bounded.
import { joinHeader } from '../raw-headers.ts';
import { type Coding, codingOf } from '../unpack.ts';
import type { UnreadReason } from './event-value.ts';
import { largestJsonBytes } from './json-answers.ts';

const jsonType = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

export class JsonBody {
  readonly #coding: Coding | null;
  #chunks: Buffer[] = [];
  #byteCount = 0;
  #whyNot: UnreadReason | null = null;

  constructor(rawHeaders: readonly string[]) {
    this.#coding = codingOf(joinHeader(rawHeaders, 'content-encoding'));
    if (!jsonType.test(joinHeader(rawHeaders, 'content-type'))) this.#whyNot = 'not-json';
    else if (this.#coding === null) this.#whyNot = 'unknown-coding';
    else if (Number(joinHeader(rawHeaders, 'content-length')) > largestJsonBytes) this.#whyNot = 'too-large';
  }

  add(chunk: Buffer): void {
    if (this.#whyNot !== null) return;
    this.#byteCount += chunk.length;
    if (this.#byteCount <= largestJsonBytes) this.#chunks.push(chunk);
    else this.#giveUp();
  }

  /** What is to be read, or why nothing can be. */
  taken(): { readonly body: Buffer; readonly coding: Coding } | UnreadReason {
    if (this.#whyNot !== null) return this.#whyNot;
    // A copy: the pieces may be small parts of large memory.
    return { body: Buffer.concat(this.#chunks), coding: this.#coding! };
  }

  #giveUp(): void {
    this.#chunks = [];
    this.#whyNot = 'too-large';
  }
}
