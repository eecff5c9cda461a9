// When an open slice of traffic is closed as a stratum (statistics, section 1.1): time and exposure decide, never what failed.
// Pure; the window and the rehearsal both go by it.

/** The least length of the first slice; later ones follow the traffic (`nextSliceMs`). */
export const firstSliceMs = 1_000;

const fastSliceMs = 100;
/** From here on a tenth of a second holds as much as a second did. */
const fastFromPerSecond = 1_000;
const leastExposedCount = 20;
const longestSliceMs = 60_000;

/** What is known of a slice that is still open. `sliceMs`: the least it may last. */
export type OpenSlice = {
  readonly elapsedMs: number;
  readonly sliceMs: number;
  readonly baselineCount: number;
  readonly candidateCount: number;
};

/** Whether the slice is to be closed: it has lasted its time with requests of both versions and 20 in all, or a minute. */
export function isStratumDue({ elapsedMs, sliceMs, baselineCount, candidateCount }: OpenSlice): boolean {
  if (elapsedMs < sliceMs) return false;
  const isFilled = candidateCount >= 1 && baselineCount >= 1 && candidateCount + baselineCount >= leastExposedCount;
  return isFilled || elapsedMs >= longestSliceMs;
}

/** The least length of the next slice: a second, or a tenth of one after a slice with 1,000 requests a second and more. */
export function nextSliceMs(exposedCount: number, elapsedMs: number): number {
  return (exposedCount * 1_000) / elapsedMs >= fastFromPerSecond ? fastSliceMs : firstSliceMs;
}
