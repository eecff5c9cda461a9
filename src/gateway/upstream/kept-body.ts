// The beginning of a request's body while its server may still refuse it unseen: small ones can be sent again whole.

/** Bodies beyond this are not kept; most gRPC messages are far smaller. */
const mostKeptByteCount = 65_536;

export class KeptBody {
  readonly chunks: Buffer[] = [];
  #byteCount = 0;
  #isWhole = false;

  /** Whether nothing follows. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whether it is worth keeping. */
  get isSmall(): boolean {
    return this.#byteCount <= mostKeptByteCount;
  }

  /** Keeps a chunk; false: the body has become too large to go on keeping it. */
  add(chunk: Buffer): boolean {
    this.#byteCount += chunk.length;
    this.chunks.push(chunk);
    return this.isSmall;
  }

  end(): void {
    this.#isWhole = true;
  }
}
