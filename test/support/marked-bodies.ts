// Bodies in which every word says whose it is and where it stands, so that a byte that was mixed up, lost or overwritten shows.

const largest = 2 ** 19;
const words = new Uint32Array(largest / 4);

/** The body of this number, of so many bytes, at most half a megabyte. */
export function markedBody(mark: number, byteCount: number): Buffer {
  const start = Math.imul(mark, 0x9e3779b1);
  const wordCount = Math.ceil(byteCount / 4);
  for (let i = 0; i < wordCount; i += 1) words[i] = start + i;
  return Buffer.copyBytesFrom(words, 0, wordCount).subarray(0, byteCount);
}

/** Whether bytes are the beginning of this body. */
export function isBeginningOf(bytes: Buffer, mark: number, byteCount: number): boolean {
  return bytes.length <= byteCount && bytes.equals(markedBody(mark, bytes.length));
}

/** Numbers below 1 that are the same for the same seed (mulberry32). */
export function seededNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Cuts a body in pieces of all sizes. */
export function piecesOf(body: Buffer, next: () => number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const byteCount = Math.ceil(2 ** (next() * 17));
    pieces.push(body.subarray(at, at + byteCount));
    at += byteCount;
  }
  return pieces;
}
