// Memory that answers are read into, used again and again: a fresh piece for each read would have the garbage collector run all
// the time. Who passes on a chunk gives its slab back once it is written; one that is never given back is collected as any other.

/** How much is read at once of what is large. */
export const slabByteCount = 65_536;
/**
 * What all connections read into that are idle or expect little: a slab each would be most of what an idle one takes. Must be
 * looked at before the next read, in the same turn, and never be lent.
 */
export const sharedSlab = Buffer.allocUnsafeSlow(16_384);
/** So many slabs wait at most; they are the ones that a burst needed. */
const maxFreeCount = 64;

const free: Buffer[] = [];
/** Slabs that were lent, by the memory that they share with the chunks cut out of them. */
const lent = new WeakMap<ArrayBufferLike, Buffer>();

/** Memory of `slabByteCount` bytes, with whatever was in it. */
export function takeSlab(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(slabByteCount);
}

/** A slab that was taken and not lent is not needed. */
export function giveBackSlab(slab: Buffer): void {
  if (free.length < maxFreeCount) free.push(slab);
}

/** A chunk of a slab goes out of the reader's hands, who must not read into the slab any more. */
export function lendChunk(slab: Buffer, from: number, to: number): Buffer {
  lent.set(slab.buffer, slab);
  return slab.subarray(from, to);
}

/** Nobody will look at the chunk any more: its slab is read into again. Does nothing for any other memory. */
export function giveBackChunk(chunk: Buffer): void {
  const slab = lent.get(chunk.buffer);
  if (slab === undefined) return;
  lent.delete(chunk.buffer);
  giveBackSlab(slab);
}

/** The chunk is looked at later: giving it back has no effect any more. */
export function keepChunk(chunk: Buffer): void {
  lent.delete(chunk.buffer);
}
