// The point where a condition stops holding, to the last bit of a double.

/** Steps that halve any interval of doubles to nothing. */
const maxSteps = 2200;

/**
 * The border between where `holds` is true (from `low` upwards) and where it is false (down from `high`).
 * `holds` is never asked at the two ends, so it may be undefined there. Throws a RangeError unless `low <= high`, both finite.
 */
export function bisect(low: number, high: number, holds: (x: number) => boolean): number {
  if (!(low <= high && Number.isFinite(high - low)))
    throw new RangeError(`an interval to search must be finite, not ${low} to ${high}`);
  let [inside, outside] = [low, high];
  for (let step = 0; step < maxSteps; step += 1) {
    const middle = inside + (outside - inside) / 2;
    if (middle <= inside || middle >= outside) break;
    if (holds(middle)) inside = middle;
    else outside = middle;
  }
  return inside;
}
