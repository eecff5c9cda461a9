// Explaining a rollout that moves: at which percent it is taken to be, and from which one on the user is on the candidate.
import { GraygateError } from '../errors.ts';
import { stepsOf } from '../rollout/assign-users.ts';
import type { Explanation } from '../rollout/explain.ts';
import type { Rollout } from '../rollout/policy.ts';
import { bucketCount, layOutSplit, type Split, versionIndexAt } from '../rollout/split.ts';

/** As given on the command line; neither: where a release begins. */
export type StageChoice = { readonly stage?: string; readonly percent?: number };

/** Where the rollout is taken to be. `stage` null: at a percent of no stage. */
export type Standing = { readonly stage: string | null; readonly percent: number; readonly split: Split };

/** A stage, or the bake, with the version that the user has there. */
export type StageVersion = { readonly name: string; readonly percent: number; readonly version: string };

/** What the percent of a rollout with stages means for one user. */
export type StagesOfUser = {
  readonly stage: string | null;
  readonly percent: number;
  /** The candidate that the stages move, and the least percent at which the user has it. */
  readonly candidate: string;
  readonly fromPercent: number;
  readonly stages: readonly StageVersion[];
};

/** The split of the policy, or that of the stage or percent that is asked for. Throws `usage` for what the rollout does not have. */
export function standingIn(rollout: Rollout, { stage, percent }: StageChoice): Standing {
  const steps = stepsOf(rollout);
  if (rollout.staging.stages.length === 0 && (stage ?? percent) !== undefined) {
    throw new GraygateError('usage', `rollout "${rollout.name}" has no stages; --stage and --percent are for those`);
  }
  if (percent !== undefined) {
    const named = steps.find((each) => each.percent === percent);
    return { stage: named?.name ?? null, percent, split: splitAt(rollout, percent) };
  }
  const found = stage === undefined ? steps[0] : steps.find(({ name }) => name === stage);
  if (found !== undefined) {
    return { stage: found.name, percent: found.percent, split: layOutSplit(rollout.versions, found.split) };
  }
  const names = [...new Set(steps.map(({ name }) => name))].join(', ');
  throw new GraygateError('usage', `rollout "${rollout.name}" has no stage "${stage}"; expected one of ${names}`);
}

/** Null where the percent changes nothing: the split is fixed, or something else decided. */
export function stagesOfUser(
  rollout: Rollout,
  { stage, percent }: Standing,
  { steps }: Explanation,
): StagesOfUser | null {
  const step = steps.find((each) => each.step === 'bucket');
  if (rollout.staging.stages.length === 0 || step === undefined || step.splitOf === 'rule') return null;
  const { bucket } = step;
  const stages = stepsOf(rollout).map((each) => {
    const { upperBounds } = layOutSplit(rollout.versions, each.split);
    const version = rollout.versions[versionIndexAt(upperBounds, bucket)]!.name;
    return { name: each.name, percent: each.percent, version };
  });
  const fromPercent = ((bucket + 1) * 100) / bucketCount;
  return { stage, percent, candidate: rollout.staging.candidates[0], fromPercent, stages };
}

function splitAt({ versions, staging }: Rollout, percent: number): Split {
  return layOutSplit(versions, { [staging.candidates[0]]: percent });
}
