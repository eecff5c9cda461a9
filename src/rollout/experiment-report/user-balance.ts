// Whether the users of an experiment fell to the versions as its splits say, all phases together.
import { sampleRatio } from '../../stats/sample-ratio.ts';
import type { ExperimentFigures } from '../experiment.ts';
import type { UserBalance } from './report.ts';

/** The balance over all phases; a phase counts by the shares of its own split. */
export function userBalance({ versions, phases }: Pick<ExperimentFigures, 'versions' | 'phases'>): UserBalance {
  const epochs = phases.flatMap(({ percents, exposed }) => {
    const whole = sumOf(percents);
    return whole > 0 ? [{ counts: exposed, shares: percents.map((percent) => percent / whole) }] : [];
  });
  const { isMismatch, chanceByLuck } = sampleRatio(epochs);
  return {
    answer: isMismatch ? 'mismatch' : 'ok',
    chance: chanceByLuck,
    versions: versions.map((name, i) => ({
      name,
      users: epochs.reduce((sum, { counts }) => sum + counts[i]!, 0),
      expected: epochs.reduce((sum, { counts, shares }) => sum + sumOf(counts) * shares[i]!, 0),
    })),
  };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
