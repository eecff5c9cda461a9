// What a schema cannot see: names that must exist elsewhere, sums, and pairs of keys. Reads also a tree that is wrong in other places.
import { z } from 'zod';
import { findInExperiment } from './experiment-checks.ts';
import { findInMirror } from './mirror-schema.ts';
import { suggestName } from '../rollout/nearest-name.ts';
import { isEveryInterface, parseListenAddress, parseServerOrigin } from './network-address.ts';
import { type Finding, findRepeatedNames, keyFinding, type Path, valueFinding } from './finding.ts';
import { findInExclude, findInLayers } from './population-schema.ts';
import { parsePercent } from './quantities.ts';
import { findInStaging, findInTokens } from './staging-checks.ts';

const entries = z.record(z.string(), z.unknown()).catch({});
const versionsByName = z.record(z.string(), z.unknown()).nullable().catch(null);
const word = z.string().optional().catch(undefined);

/** As much of the file as these checks read; what has a wrong form is taken as absent, since the schema has said so. */
const ruleSketch = z.object({ name: word, use: word, split: entries, when: entries }).catch({ split: {}, when: {} });
const userSketch = z
  .object({ from: z.union([z.array(z.unknown()), z.string()]).catch([]), jwt: z.unknown().optional() })
  .catch({ from: [], jwt: undefined });
const rolloutSketch = z
  .object({
    name: word,
    versions: versionsByName,
    split: entries,
    user: userSketch,
    rules: z.array(ruleSketch).catch([]),
  })
  .catch({ versions: null, split: {}, user: { from: [], jwt: undefined }, rules: [] });
const policySketch = z
  .object({
    listen: z.unknown().optional(),
    admin: z.object({ listen: z.unknown().optional(), tokens: z.unknown().optional() }).catch({}),
    alerts: z.unknown().optional(),
    rollouts: z.array(rolloutSketch).catch([]),
  })
  .catch({ admin: {}, rollouts: [] });

type RolloutSketch = z.output<typeof rolloutSketch>;

/** Everything that is wrong between keys of a policy file, whether or not each of them fits the schema. */
export function findConflicts(tree: unknown): Finding[] {
  const policy = policySketch.parse(tree);
  return [
    ...findAddressClash(policy.listen, policy.admin.listen ?? '127.0.0.1:9090'),
    ...findRepeatedNames(
      policy.rollouts.map(({ name }) => name),
      ['rollouts'],
    ),
    ...findInTokens(policy.admin.tokens),
    ...policy.rollouts.flatMap((rollout, index) => findInRollout(rollout, ['rollouts', index])),
    ...rolloutsOf(tree).flatMap((rollout, index) => findInStaging(rollout, ['rollouts', index])),
    ...rolloutsOf(tree).flatMap((rollout, index) => findInMirror(rollout, ['rollouts', index])),
    ...rolloutsOf(tree).flatMap((rollout, index) => findInExperiment(rollout, ['rollouts', index])),
    ...rolloutsOf(tree).flatMap((rollout, index) => findInExclude(rollout, ['rollouts', index])),
    ...findInLayers(rolloutsOf(tree)),
  ];
}

function rolloutsOf(tree: unknown): unknown[] {
  return z.object({ rollouts: z.array(z.unknown()) }).safeParse(tree).data?.rollouts ?? [];
}

function findInRollout(rollout: RolloutSketch, path: Path): Finding[] {
  const versions = rollout.versions ?? {};
  const names = Object.keys(versions);
  const tooFew = valueFinding(
    [...path, 'versions'],
    'has fewer than two versions',
    'name the baseline first, then a candidate',
  );
  return [
    ...(rollout.versions !== null && names.length < 2 ? [tooFew] : []),
    ...names.flatMap((name) => findRepeatedServers(versions[name], [...path, 'versions', name, 'servers'])),
    ...findInSplit(rollout.split, names, [...path, 'split']),
    ...findInRules(rollout, names, [...path, 'rules']),
    ...findMissingJwt(rollout, path),
  ];
}

function findInRules({ rules }: RolloutSketch, names: readonly string[], path: Path): Finding[] {
  const repeats = findRepeatedNames(
    rules.map(({ name }) => name),
    path,
  );
  return repeats.concat(
    rules.flatMap((rule, index) => [
      ...(rule.use === undefined || names.includes(rule.use)
        ? []
        : [noVersion(rule.use, names, [...path, index, 'use'], 'value')]),
      ...findInSplit(rule.split, names, [...path, index, 'split']),
    ]),
  );
}

function findInSplit(split: Readonly<Record<string, unknown>>, names: readonly string[], path: Path): Finding[] {
  const [baseline, ...candidates] = names;
  const found = Object.keys(split).flatMap((name) => {
    const at = [...path, name];
    if (name === baseline) return [keyFinding(at, `"${name}" is the baseline and has the rest`, 'name a candidate')];
    return names.includes(name) ? [] : [noVersion(name, candidates, at, 'key')];
  });
  const percents = Object.values(split).map((written) => parsePercent(written));
  const buckets = percents.reduce((sum, percent) => sum + (percent.ok ? Math.round(percent.value * 100) : 0), 0);
  if (buckets <= 10_000) return found;
  const hint = 'the candidates may have 100 percent at most; the baseline has the rest';
  return [...found, keyFinding(path, `adds up to ${buckets / 100} percent`, hint)];
}

function findMissingJwt({ user, rules }: RolloutSketch, path: Path): Finding[] {
  if (user.jwt !== undefined) return [];
  const hint = 'add user.jwt with secret or jwksUrl, so that tokens can be verified';
  const sources = [user.from].flat().flatMap((source, index) => {
    if (!String(source).startsWith('jwt:')) return [];
    const at = Array.isArray(user.from) ? [...path, 'user', 'from', index] : [...path, 'user', 'from'];
    return [valueFinding(at, 'needs user.jwt, which is missing', hint)];
  });
  const conditions = rules.flatMap(({ when }, index) =>
    'jwt' in when
      ? [keyFinding([...path, 'rules', index, 'when', 'jwt'], 'needs user.jwt, which is missing', hint)]
      : [],
  );
  return [...sources, ...conditions];
}

function findRepeatedServers(version: unknown, path: Path): Finding[] {
  const sketch = z.object({ servers: z.array(z.unknown()) }).safeParse(version);
  const origins = (sketch.data?.servers ?? []).map((server) => {
    const url = z.object({ url: z.string() }).safeParse(server).data?.url ?? server;
    const origin = parseServerOrigin(url);
    return origin.ok ? origin.value : null;
  });
  return origins.flatMap((origin, index) => {
    if (origin === null || origins.indexOf(origin) === index) return [];
    return [valueFinding([...path, index], 'is a server that is listed before', 'give the first one a weight')];
  });
}

function findAddressClash(traffic: unknown, admin: unknown): Finding[] {
  const [a, b] = [parseListenAddress(traffic), parseListenAddress(admin)];
  if (!a.ok || !b.ok || a.value.port === 0 || a.value.port !== b.value.port) return [];
  if (a.value.host !== b.value.host && !isEveryInterface(a.value.host) && !isEveryInterface(b.value.host)) return [];
  return [valueFinding(['listen'], 'is the port of admin.listen too', 'the two need different ports')];
}

function noVersion(name: string, known: readonly string[], path: Path, at: Finding['at']): Finding {
  const problem = at === 'key' ? `there is no version "${name}"` : 'is not a version';
  return { path, at, problem, hint: suggestName(name, known, 'versions'), quotesValue: at === 'value' };
}
