// The keys that say which users take part in a comparison: `exclude`, `layer` and `holdout`.
import { z } from 'zod';
import { toByteString } from './byte-string.ts';
import { type Finding, keyFinding, type Path, valueFinding } from './finding.ts';
import { parsePercent } from './quantities.ts';
import { listOf, mapping, someText, written } from './schema-kit.ts';
import { whenSchema } from './rule-schema.ts';
import type { Holdout, LayerShare } from '../rollout/population.ts';

const percent = () => written(parsePercent, 'a percent such as 10');
const holdoutForms = 'a percent of users, or a mapping with percent and salt';

export const excludeSchema = listOf(whenSchema, 'a list of conditions, as in when');

export const layerSchema = mapping(
  { name: someText('the name of the layer'), from: percent(), to: percent() },
  'a mapping with name, from and to',
);

const fullHoldout = mapping(
  { percent: percent(), salt: someText('text that the hash begins with').prefault('holdout') },
  holdoutForms,
);

export const holdoutSchema = z.union(
  [percent().transform((only) => ({ percent: only, salt: 'holdout' })), fullHoldout],
  {
    error: () => holdoutForms,
  },
);

export type HoldoutDocument = z.output<typeof holdoutSchema>;

/** The share of a layer that a checked document means. */
export function buildLayer({ name, from, to }: z.output<typeof layerSchema>): LayerShare {
  return { name, salt: toByteString(name), fromPercent: from, toPercent: to };
}

/** The users held out of everything; null where it is nobody. */
export function buildHoldout({ percent: share, salt }: HoldoutDocument): Holdout | null {
  return share === 0 ? null : { percent: share, salt: toByteString(salt) };
}

const layerSketch = z.object({ layer: z.object({ name: z.string(), from: z.unknown(), to: z.unknown() }) });

/** Shares of one layer that are empty or overlap: a user would be in two of its rollouts. */
export function findInLayers(rollouts: readonly unknown[]): Finding[] {
  const shares = rollouts.flatMap((rollout, index) => {
    const layer = layerSketch.safeParse(rollout).data?.layer;
    const [from, to] = [parsePercent(layer?.from), parsePercent(layer?.to)];
    if (layer === undefined || !from.ok || !to.ok) return [];
    return [{ index, name: layer.name, from: from.value, to: to.value, rollout: nameOf(rollout) }];
  });
  return shares.flatMap(({ index, name, from, to }, position) => {
    const path = ['rollouts', index, 'layer'];
    if (to <= from)
      return [valueFinding([...path, 'to'], 'is not above from', 'a share goes up, such as from: 0, to: 50')];
    const other = shares.slice(0, position).find((each) => each.name === name && from < each.to && each.from < to);
    if (other === undefined) return [];
    const hint = `"${other.rollout}" has ${other.from} to ${other.to} percent of it`;
    return [valueFinding([...path, 'from'], `overlaps another share of the layer "${name}"`, hint)];
  });
}

/** An exclusion by a claim, where no token is verified. */
export function findInExclude(rollout: unknown, path: Path): Finding[] {
  const { exclude, user } = excludeSketch.parse(rollout);
  if (user.jwt !== undefined) return [];
  const hint = 'add user.jwt with secret or jwksUrl, so that tokens can be verified';
  return exclude.flatMap((when, index) =>
    'jwt' in when ? [keyFinding([...path, 'exclude', index, 'jwt'], 'needs user.jwt, which is missing', hint)] : [],
  );
}

const excludeSketch = z
  .object({
    exclude: z.array(z.record(z.string(), z.unknown()).catch({})).catch([]),
    user: z.object({ jwt: z.unknown().optional() }).catch({}),
  })
  .catch({ exclude: [], user: {} });

function nameOf(rollout: unknown): string {
  return z.object({ name: z.string() }).safeParse(rollout).data?.name ?? 'a rollout before it';
}
