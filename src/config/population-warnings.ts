// What `validate --strict` says about who takes part: a layer that shares nothing out is most often a misspelt name.
import type { Policy } from '../rollout/policy.ts';
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
