// How many processes serve traffic, as the policy writes it.
import { availableParallelism } from 'node:os';
import { parseCount } from './quantities.ts';
import { accepted, refused, type Reading } from './reading.ts';

/** More than any machine has cores for. */
const mostWorkers = 256;

const hint = `write a number from 1 to ${mostWorkers}, or auto for one a core`;

/** A number from 1 to 256; `auto`: one for each core that this process may use, as affinity and a container's quota have it. */
export function readWorkers(value: unknown): Reading<number> {
  if (value === 'auto') return accepted(Math.min(availableParallelism(), mostWorkers));
  const count = parseCount(value);
  return count.ok && count.value <= mostWorkers ? count : refused('is not a number of processes', hint);
}
