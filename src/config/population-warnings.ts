// What `validate --strict` says about who takes part: a layer that shares nothing out is most often a misspelt name, and a rollout
// that nobody can enter most often a slip.
import { bucketPrefix } from '../rollout/bucket.ts';
import type { Policy, Rollout } from '../rollout/policy.ts';
import { compilePopulation } from '../rollout/population.ts';
import { type Finding, valueFinding } from './finding.ts';

/** Layers that only one rollout names. */
export function loneLayers({ rollouts }: Pick<Policy, 'rollouts'>): Finding[] {
  return rollouts.flatMap(({ layer }, index) => {
    if (layer === null || rollouts.some((other, i) => i !== index && other.layer?.name === layer.name)) return [];
    const path = ['rollouts', index, 'layer', 'name'];
    const hint = 'write the name as in the other rollouts of the layer, or leave layer out';
    return [valueFinding(path, 'is a layer of this rollout alone', hint)];
  });
}

/** A holdout of everyone. */
export function fullHoldout({ rollouts }: Pick<Policy, 'rollouts'>): Finding[] {
  const closed = rollouts.filter(({ holdout }) => holdout !== null && holdout.percent >= 100);
  if (closed.length === 0) return [];
  const names = closed.map(({ name }) => `"${name}"`).join(', ');
  const problem = `holds everyone out, so nobody can enter ${names} but by a rule with use`;
  const hint = 'write less, such as 5, or holdout: false in a rollout that is to go on';
  return [valueFinding(['holdout'], problem, hint)];
}

/** Rollouts that place users by the hash of their layer or of the holdout: whoever it lets in has one end of the buckets. */
export function sharedHashes({ rollouts }: Pick<Policy, 'rollouts'>): Finding[] {
  return rollouts.flatMap((rollout, index) => {
    const owner = ownerOfHash(rollout);
    if (owner === null) return [];
    const problem = `is what the hash of ${owner} begins with, so a candidate may get nobody, or everyone who enters`;
    const hint = "leave salt out: it is the rollout's name then";
    return [valueFinding(['rollouts', index, 'salt'], problem, hint)];
  });
}

/** What else places users by the rollout's own hash; null: nothing. */
function ownerOfHash(rollout: Rollout): string | null {
  const prefix = bucketPrefix(rollout.salt);
  const population = compilePopulation(rollout);
  if (population?.layer?.prefix === prefix) return 'its layer';
  return population?.heldOut?.prefix === prefix ? 'the holdout' : null;
}
