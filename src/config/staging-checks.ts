// What a schema cannot see about stages, bake, checks and alerts: order, names, pairs of keys. Reads also a tree that is
// wrong in other places.
import { z } from 'zod';
import { type Finding, findRepeatedNames, keyFinding, type Path, unquotedFinding, valueFinding } from './finding.ts';
import { parsePercent } from './quantities.ts';

const loose = z.unknown().optional();
const marginSketch = z.object({ ratio: loose, plus: loose }).catch({ ratio: undefined, plus: undefined });
const checkSketch = z
  .object({ name: loose, metric: loose, tolerate: marginSketch, prove: marginSketch, max: loose, min: loose })
  .partial()
  .catch({});
const stageSketch = z.object({ name: loose, percent: loose, to: loose, step: loose }).partial().catch({});
const stagedSketch = z
  .object({
    split: loose,
    stages: z.array(stageSketch).nullable().catch(null),
    bake: loose,
    analysis: z.object({ checks: z.array(checkSketch).catch([]) }).catch({ checks: [] }),
  })
  .catch({ split: undefined, stages: null, bake: undefined, analysis: { checks: [] } });

/** Everything that is wrong between the keys that move one rollout. */
export function findInStaging(rollout: unknown, path: Path): Finding[] {
  const { split, stages, bake, analysis } = stagedSketch.parse(rollout);
  const both = keyFinding([...path, 'split'], 'stands beside stages, which move the percent', 'write one of the two');
  const alone = keyFinding([...path, 'bake'], 'needs stages, which it comes after', 'add stages, or leave bake out');
  return [
    ...(split !== undefined && stages !== null ? [both] : []),
    ...(bake !== undefined && stages === null ? [alone] : []),
    ...findInStages(stages ?? [], [...path, 'stages']),
    ...findInChecks(analysis.checks, [...path, 'analysis', 'checks']),
  ];
}

/** Names of tokens are who did it in the audit log, so they are unique. */
export function findInTokens(tokens: unknown): Finding[] {
  const names = z
    .array(z.object({ name: loose }).catch({}))
    .catch([])
    .parse(tokens ?? [])
    .map(({ name }) => name);
  return findRepeatedNames(names, ['admin', 'tokens']);
}

function findInStages(stages: readonly z.output<typeof stageSketch>[], path: Path): Finding[] {
  const found = findRepeatedNames(
    stages.map(({ name }) => name),
    path,
  );
  let reached = -1;
  for (const [index, { percent, to, step }] of stages.entries()) {
    const from = parsePercent(percent);
    const last = to === undefined ? from : parsePercent(to);
    const width = step === undefined ? null : parsePercent(step);
    if (!from.ok || !last.ok) continue;
    const at = [...path, index];
    if (from.value <= reached)
      found.push(valueFinding([...at, 'percent'], 'is not above the stage before', 'stages go up'));
    if (last.value < from.value) found.push(valueFinding([...at, 'to'], 'is below percent', 'a range goes up'));
    if (width !== null && to === undefined)
      found.push(keyFinding([...at, 'step'], 'needs to', 'add where the range ends'));
    if (width?.ok === true && width.value === 0)
      found.push(valueFinding([...at, 'step'], 'is nothing', 'write at least 0.01'));
    reached = Math.max(reached, last.value);
  }
  return found;
}

function findInChecks(checks: readonly z.output<typeof checkSketch>[], path: Path): Finding[] {
  const names = checks.map(({ name, metric }) => name ?? metric);
  return [
    ...findRepeatedNames(names, path),
    ...checks.flatMap((check, index) => [
      ...findNarrowProof(check, [...path, index, 'prove']),
      ...(check.metric === 'prometheus' && check.max === undefined && check.min === undefined
        ? [unquotedFinding([...path, index], 'has neither max nor min', 'write what the value must not pass')]
        : []),
    ]),
  ];
}

/** Between `tolerate` and `prove` a candidate may be either; the other way round it could be both. */
function findNarrowProof({ metric, tolerate, prove }: z.output<typeof checkSketch>, path: Path): Finding[] {
  if (metric !== 'error-rate' && metric !== 'latency') return [];
  const defaults = metric === 'error-rate' ? { tolerate: 1.1, prove: 1.5 } : { tolerate: 1.1, prove: 1.25 };
  const tolerated = Number(tolerate?.ratio ?? defaults.tolerate);
  const proved = Number(prove?.ratio ?? defaults.prove);
  const toleratedPlus = Number(tolerate?.plus ?? 0.05);
  const provedPlus = Number(prove?.plus ?? 0.1);
  const isNarrow = proved < tolerated || (metric === 'error-rate' && provedPlus < toleratedPlus);
  if (!isNarrow) return [];
  return [unquotedFinding(path, 'is narrower than tolerate', 'what is proved must allow at least what is tolerated')];
}
