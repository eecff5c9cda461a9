// Reads the answers on one connection, one at a time, in whatever pieces they come: interim heads, the head, the body by its
// framing. Throws a `ProtocolError` at what is not HTTP; knows no socket and no clock.
import { ChunkReader } from './http1-chunks.ts';
import { maxHeadByteCount, ProtocolError } from './http1-fields.ts';
import { canBecomeHead, type Head, parseHead } from './http1-head.ts';
import { giveBackSlab, lendChunk, sharedSlab, takeSlab } from './slabs.ts';

/** Told what was read, in order; may give the answer up at any time with `cease`. */
export interface AnswerReaderOwner {
  interimRead(head: Head): void;
  headRead(head: Head): void;
  /** The chunk is the owner's. `isLast`: the end follows in the same turn. */
  dataRead(chunk: Buffer, isLast: boolean): void;
  /** `keptMs`: how long the connection can be used again, at most; null: it cannot. */
  answerRead(rawTrailers: readonly string[] | null, keptMs: number | null): void;
}

/** An idle connection is closed after this long, or before the server has said that it closes it. */
const keepAliveMs = 60_000;
/** So much earlier than the server, because the news of a close takes its time. */
const keepAliveMarginMs = 1_000;
/** Heads are nearly always shorter than this. */
const usualHeadByteCount = 4_096;
/** An answer that never comes to its point is none. */
const maxInterimCount = 1_000;

export class AnswerReader {
  /** Where the next bytes have to be put. */
  slab: Buffer = sharedSlab;
  readonly #owner: AnswerReaderOwner;
  #method = '';
  /** What came of a head that is not whole. */
  #headText = '';
  #interimCount = 0;
  #head: Head | null = null;
  #remaining = 0;
  #chunks: ChunkReader | null = null;
  #isReading = false;

  constructor(owner: AnswerReaderOwner) {
    this.#owner = owner;
  }

  /** The head of the answer has come, and the answer has not ended. */
  get hasHead(): boolean {
    return this.#head !== null;
  }

  /** The end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return this.#head?.framing === 'close';
  }

  /** An answer to a request with this method follows. */
  expect(method: string): void {
    this.#method = method;
    this.#headText = '';
    this.#interimCount = 0;
    this.#head = null;
    this.#chunks = null;
    this.#isReading = true;
  }

  /** Nothing more of the answer is of interest. */
  cease(): void {
    this.#isReading = false;
  }

  /** Reads on in what was put into the slab, which may be another one afterwards. */
  read(byteCount: number): void {
    const { slab } = this;
    let at = 0;
    while (at < byteCount && this.#isReading) {
      at = this.#head === null ? this.#readHead(slab, at, byteCount) : this.#readBody(slab, at, byteCount);
    }
    if (!this.#isReading) this.#giveBackSlab();
    // More came than there was room for.
    else if (byteCount === sharedSlab.length && this.slab === sharedSlab) this.slab = takeSlab();
  }

  #readHead(bytes: Buffer, at: number, to: number): number {
    const before = this.#headText.length;
    const most = before === 0 ? usualHeadByteCount : maxHeadByteCount + 4 - before;
    let text = this.#headText + bytes.toString('latin1', at, Math.min(to, at + most));
    let end = text.indexOf('\r\n\r\n', Math.max(0, before - 3));
    if (end === -1 && before === 0 && to - at > most) {
      text = bytes.toString('latin1', at, Math.min(to, at + maxHeadByteCount + 4));
      end = text.indexOf('\r\n\r\n');
    }
    if (end > maxHeadByteCount || (end === -1 && text.length > maxHeadByteCount)) {
      throw new ProtocolError(`expected a head below ${maxHeadByteCount} bytes`);
    }
    if (end === -1) {
      if (!canBecomeHead(text)) throw new ProtocolError('expected a status line of HTTP/1.1');
      this.#headText = text;
      return to;
    }
    this.#headText = '';
    const next = at + end + 4 - before;
    this.#takeHead(parseHead(text, end + 2, this.#method), next < to);
    return next;
  }

  #takeHead(head: Head, isFollowed: boolean): void {
    if (head.status < 200) {
      this.#interimCount += 1;
      if (head.status === 101) throw new ProtocolError('expected no switch of protocols, got 101');
      if (this.#interimCount > maxInterimCount) throw new ProtocolError('expected an answer after interim ones');
      return this.#owner.interimRead(head);
    }
    this.#head = head;
    this.#remaining = head.byteCount;
    if (head.framing === 'chunked') this.#chunks = new ChunkReader();
    this.#owner.headRead(head);
    const isBodiless = head.framing === 'none' || (head.framing === 'length' && head.byteCount === 0);
    if (isBodiless) this.#finish(head, null, isFollowed);
  }

  #readBody(bytes: Buffer, at: number, to: number): number {
    const head = this.#head!;
    if (this.#chunks !== null) return this.#readChunks(this.#chunks, bytes, { at, to });
    const end = head.framing === 'length' ? Math.min(to, at + this.#remaining) : to;
    this.#remaining -= end - at;
    const isLast = head.framing === 'length' && this.#remaining === 0;
    this.#owner.dataRead(this.#own(bytes, at, end), isLast);
    if (isLast) this.#finish(head, null, end < to);
    return end;
  }

  #readChunks(chunks: ChunkReader, bytes: Buffer, { at, to }: { at: number; to: number }): number {
    let next = to;
    try {
      next = chunks.read(bytes, at, to);
    } finally {
      // What came before the fault is passed on, in whatever pieces it came.
      const { dataStart, dataEnd } = chunks;
      if (dataEnd > dataStart) this.#owner.dataRead(this.#own(bytes, dataStart, dataEnd), chunks.isDone);
    }
    if (chunks.isDone) this.#finish(this.#head!, chunks.trailers, next < to);
    return next;
  }

  #finish(head: Head, rawTrailers: readonly string[] | null, isFollowed: boolean): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    // A connection in wait for its next request must not hold on to the text that the head was read from.
    this.#head = null;
    // What follows an answer without having been asked for could be taken for the next one.
    const canBeUsed = head.keepsAlive && !isFollowed;
    const keptMs = Math.min(keepAliveMs, (head.keepAliveMs ?? Infinity) - keepAliveMarginMs);
    this.#owner.answerRead(rawTrailers, canBeUsed ? keptMs : null);
  }

  #giveBackSlab(): void {
    if (this.slab === sharedSlab) return;
    giveBackSlab(this.slab);
    this.slab = sharedSlab;
  }

  /** A piece of the slab that nothing is read into any more; small ones are copied, so that the slab can be read into again. */
  #own(slab: Buffer, from: number, to: number): Buffer {
    if (to - from <= sharedSlab.length) return Buffer.copyBytesFrom(slab, from, to - from);
    this.slab = takeSlab();
    return lendChunk(slab, from, to);
  }
}
