// The body of an answer kept for a comparison: bounded, unpacked and read as JSON only when somebody asks, off the request's path.
import { codingOf } from '../unpack.ts';

/** `isKnown` is false where the body was too long, or packed in a way that is not understood: then nothing can be said of it. */
export type ReadBody = { readonly isKnown: false } | { readonly isKnown: true; readonly json: unknown };

const unknown: ReadBody = { isKnown: false };
/** Deeper documents are read by programs that mean harm. */
const mostLevels = 64;

export class CapturedBody {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #byteCount = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isTooLong(): boolean {
    return this.#byteCount > this.#maxBytes;
  }

  add(piece: Buffer): void {
    if (this.isTooLong) return;
    this.#byteCount += piece.length;
    // Copied: a piece may be a small part of a large buffer that is used again.
    if (this.isTooLong) this.#pieces = [];
    else this.#pieces.push(Buffer.from(piece));
  }

  /** The bytes as they came; null where there were too many. */
  bytes(): Buffer | null {
    return this.isTooLong ? null : Buffer.concat(this.#pieces);
  }

  /** What the body says, by the value of its `Content-Encoding` (empty: none). `json` is undefined where it is not JSON. */
  async read(encoding: string): Promise<ReadBody> {
    const packed = this.bytes();
    if (packed === null) return unknown;
    const bytes = await this.#unpack(packed, encoding);
    if (bytes === null) return unknown;
    const text = bytes.toString('utf8');
    if (nestsDeeperThan(mostLevels, text)) return unknown;
    try {
      return { isKnown: true, json: JSON.parse(text) };
    } catch {
      return { isKnown: true, json: undefined };
    }
  }

  async #unpack(packed: Buffer, encoding: string): Promise<Buffer | null> {
    const coding = codingOf(encoding);
    if (coding === null || coding.unpack === null) return coding === null ? null : packed;
    const unpacked = await coding.unpack(packed, this.#maxBytes);
    return unpacked.ok ? unpacked.bytes : null;
  }
}

/** Brackets inside texts count too: a document that is refused for them is rare and loses nothing but its comparison. */
function nestsDeeperThan(levels: number, text: string): boolean {
  let level = 0;
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charCodeAt(i);
    if (char === 0x5b || char === 0x7b) level += 1;
    else if (char === 0x5d || char === 0x7d) level -= 1;
    if (level > levels) return true;
  }
  return false;
}
