// The failure of whoever needs a policy that can be used, with everything that is wrong with the one there is.
import { GraygateError } from '../errors.ts';
import type { Problem } from './problem.ts';

/** A policy that cannot be used. */
export class PolicyError extends GraygateError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('policy-invalid', `the policy has ${problems.length} problem${problems.length === 1 ? '' : 's'}`);
    this.problems = problems;
  }
}
