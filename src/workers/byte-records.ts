// Numbers and texts as bytes, one after the other: written into memory that grows, and read back in the same order.

const firstBytes = 65_536;

/** Collects bytes until somebody takes them. Before anything is written there has to be room for it. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;

  get byteLength(): number {
    return this.#length;
  }

  /** Makes room for so many bytes more. */
  reserve(byteCount: number): void {
    if (this.#length + byteCount <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + byteCount));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  byte(value: number): void {
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  uint16(value: number): void {
    this.#length = this.#bytes.writeUInt16LE(value, this.#length);
  }

  uint32(value: number): void {
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
  }

  double(value: number): void {
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  /** One char a byte. */
  text(bytes: string): void {
    this.uint32(bytes.length);
    this.#length += this.#bytes.write(bytes, this.#length, 'latin1');
  }

  /** Everything since the last time. */
  take(): Uint8Array {
    const taken = Uint8Array.prototype.slice.call(this.#bytes, 0, this.#length);
    this.#length = 0;
    return taken;
  }
}

/** Reads what a `ByteWriter` wrote; who asks for something else than was written gets nonsense. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++]!;
  }

  uint16(): number {
    this.#at += 2;
    return this.#bytes.readUInt16LE(this.#at - 2);
  }

  uint32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  double(): number {
    this.#at += 8;
    return this.#bytes.readDoubleLE(this.#at - 8);
  }

  text(): string {
    const length = this.uint32();
    this.#at += length;
    return this.#bytes.toString('latin1', this.#at - length, this.#at);
  }
}
