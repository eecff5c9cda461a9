// Buckets gathered into cells, by which sums are kept: so a change of the split can leave out the users of the buckets that it
// moves without looking at one of them. Fine at both ends, where small splits begin, and one percent in between.
import { bucketCount } from '../split.ts';

const fineWidth = 10;
const width = 100;

const cellByBucket = layOut();

/** How many cells there are. */
export const cellCount = cellByBucket[bucketCount - 1]! + 1;

/** The cell that a bucket (0-9999) belongs to; buckets of a cell are neighbours. */
export function cellOf(bucket: number): number {
  return cellByBucket[bucket]!;
}

function layOut(): Uint8Array {
  const cells = new Uint8Array(bucketCount);
  let cell = -1;
  for (let bucket = 0; bucket < bucketCount; bucket += 1) {
    const isFine = bucket < width || bucket >= bucketCount - width;
    if (bucket % (isFine ? fineWidth : width) === 0) cell += 1;
    cells[bucket] = cell;
  }
  return cells;
}
