// Takes the chunks of a chunked body apart (RFC 9112, 7.1), in place: what was read is replaced by the data in it, so that one
// read gives one piece however many chunks it holds.
import { maxHeadByteCount, parseFields, ProtocolError } from './http1-fields.ts';

/** All chunk extensions of a body together; they carry nothing that anyone reads. */
const maxExtensionByteCount = 16_384;
/** A number of this many hex digits is always a safe integer. */
const maxSizeDigitCount = 13;

type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'done';

export class ChunkReader {
  /** The data of the last read: where it begins in its buffer, and where it ends. */
  dataStart = 0;
  dataEnd = 0;
  /** Raw trailers; null where none came. */
  trailers: string[] | null = null;
  #state: State = 'size';
  #digitCount = 0;
  #remaining = 0;
  #extensionByteCount = 0;
  #trailerText = '';

  get isDone(): boolean {
    return this.#state === 'done';
  }

  /**
   * Reads on in a buffer from one position to another, moving data together. Returns where it stopped: before the end only when
   * the body is done. Throws a `ProtocolError`.
   */
  read(buffer: Buffer, from: number, to: number): number {
    this.dataStart = from;
    this.dataEnd = from;
    let at = from;
    while (at < to && this.#state !== 'done') {
      if (this.#state === 'data') at = this.#takeData(buffer, at, to);
      else if (this.#state === 'trailers') at = this.#takeTrailers(buffer, at, to);
      else this.#takeByte(buffer[at++]!);
    }
    return at;
  }

  #takeData(buffer: Buffer, at: number, to: number): number {
    const end = Math.min(to, at + this.#remaining);
    if (this.dataEnd === this.dataStart) {
      this.dataStart = at;
      this.dataEnd = end;
    } else {
      buffer.copyWithin(this.dataEnd, at, end);
      this.dataEnd += end - at;
    }
    this.#remaining -= end - at;
    if (this.#remaining === 0) this.#state = 'data-cr';
    return end;
  }

  #takeByte(byte: number): void {
    if (this.#state === 'size') this.#takeSizeByte(byte);
    else if (this.#state === 'extension') this.#takeExtensionByte(byte);
    else if (this.#state === 'size-lf') {
      if (byte !== 0x0a) throw new ProtocolError('expected LF after the CR of a chunk size');
      this.#state = this.#remaining === 0 ? 'trailers' : 'data';
      this.#digitCount = 0;
    } else if (this.#state === 'data-cr') {
      if (byte !== 0x0d) throw new ProtocolError('expected CR LF after the data of a chunk');
      this.#state = 'data-lf';
    } else {
      if (byte !== 0x0a) throw new ProtocolError('expected CR LF after the data of a chunk');
      this.#state = 'size';
    }
  }

  #takeSizeByte(byte: number): void {
    const digit = hexDigitOf(byte);
    if (digit !== -1) {
      this.#digitCount += 1;
      this.#remaining = this.#remaining * 16 + digit;
      if (this.#digitCount > maxSizeDigitCount) throw new ProtocolError('expected a chunk size below 2^52');
    } else if (this.#digitCount === 0) throw new ProtocolError('expected a chunk size');
    else if (byte === 0x0d) this.#state = 'size-lf';
    else if (byte === 0x3b || byte === 0x20 || byte === 0x09) this.#state = 'extension';
    else throw new ProtocolError('expected a chunk size');
  }

  #takeExtensionByte(byte: number): void {
    if (byte === 0x0d) this.#state = 'size-lf';
    else if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) throw new ProtocolError('expected a chunk extension');
    this.#extensionByteCount += 1;
    if (this.#extensionByteCount > maxExtensionByteCount) throw new ProtocolError('expected short chunk extensions');
  }

  #takeTrailers(buffer: Buffer, at: number, to: number): number {
    const before = this.#trailerText.length;
    const text = this.#trailerText + buffer.toString('latin1', at, Math.min(to, at + maxHeadByteCount + 4 - before));
    // The first line may be the empty one already.
    const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n', Math.max(0, before - 3)) + 2;
    if (end === 1) {
      if (text.length > maxHeadByteCount) throw new ProtocolError(`expected trailers below ${maxHeadByteCount} bytes`);
      this.#trailerText = text;
      return to;
    }
    if (end > 0) this.trailers = parseFields(text, 0, end);
    this.#state = 'done';
    return at + end + 2 - before;
  }
}

function hexDigitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
