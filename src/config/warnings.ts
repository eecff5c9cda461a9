// What `validate --strict` adds: policies that are valid and probably not what was meant.
import { readsClaims } from '../rollout/claims.ts';
import { isPathWithin } from '../rollout/path.ts';
import type { Policy, Rollout, Version } from '../rollout/policy.ts';
import type { HostPattern, Match } from '../rollout/rule.ts';
import { lendsTokens, unseenEvents } from './event-warnings.ts';
import { shortExperiments } from './experiment-warnings.ts';
import type { LoadedPolicy } from './load-policy.ts';
import { isLoopback } from './network-address.ts';
import { fullHoldout, loneLayers, sharedHashes } from './population-warnings.ts';
import { type Finding, keyFinding, type Path } from './finding.ts';
import { compareProblems, type Problem } from './problem.ts';
import { coveringRule } from './rule-cover.ts';
import { tlsWarnings } from './tls-warnings.ts';

/** Bytes of the shortest secret that HMAC-SHA256 takes at full strength (RFC 7518 3.2). */
const shortestSecretBytes = 32;

/** The warnings of a loaded policy at their places in the file, in reading order. */
export function placedWarnings({ policy, source }: LoadedPolicy): Problem[] {
  const { tls } = source.tree as { tls?: unknown };
  return [...warnings(policy), ...tlsWarnings(policy.tls, { isList: Array.isArray(tls), nowMs: Date.now() })]
    .map((finding) => source.place(finding))
    .toSorted(compareProblems);
}

/** Everything about a valid policy that its author may want to look at again. */
export function warnings(policy: Policy): Finding[] {
  const { host } = policy.admin.listen;
  const isPublic = keyFinding(
    ['admin', 'listen'],
    'can be reached from other machines',
    'listen on 127.0.0.1, or guard the port',
  );
  return [
    ...(isLoopback(host) ? [] : [isPublic]),
    ...loneLayers(policy),
    ...fullHoldout(policy),
    ...sharedHashes(policy),
    ...unseenEvents(policy),
    ...shortExperiments(policy),
    ...policy.rollouts.flatMap((rollout, index) => {
      const path = ['rollouts', index];
      return [
        ...hiddenRollout(rollout, policy.rollouts.slice(0, index), path),
        ...identityWarnings(rollout, policy.rollouts, [...path, 'user']),
        ...versionWarnings(rollout, [...path, 'versions']),
        ...insecureVersions(rollout, [...path, 'versions']),
        ...hiddenRules(rollout, [...path, 'rules']),
      ];
    }),
  ];
}

function hiddenRollout({ match }: Rollout, earlier: readonly Rollout[], path: Path): Finding[] {
  const taker = earlier.find((other) => takesAllOf(other.match, match));
  if (taker === undefined) return [];
  return [
    keyFinding(path, `gets no request: "${taker.name}" before it takes them all`, 'put the narrower match first'),
  ];
}

function takesAllOf(wide: Match, narrow: Match): boolean {
  const hosts =
    wide.hosts.length === 0 || (narrow.hosts.length > 0 && narrow.hosts.every((host) => isHostIn(host, wide.hosts)));
  const paths =
    wide.paths.length === 0 ||
    (narrow.paths.length > 0 &&
      narrow.paths.every((path) => wide.paths.some((prefix) => isPathWithin(path, prefix)))) ||
    wide.paths.includes('');
  return hosts && paths;
}

function isHostIn(host: HostPattern, hosts: readonly HostPattern[]): boolean {
  return hosts.some((wide) => {
    if (wide.kind === 'exact') return host.kind === 'exact' && host.host === wide.host;
    return (host.kind === 'exact' ? host.host : host.suffix).endsWith(wide.suffix);
  });
}

function identityWarnings(rollout: Rollout, rollouts: readonly Rollout[], path: Path): Finding[] {
  const { user, split, rules } = rollout;
  const found: Finding[] = [];
  const hasSplit = Object.values(split).some((percent) => percent > 0);
  if (user.anonymous === 'baseline' && hasSplit) {
    const hint = 'write cookie or ip, unless this is meant';
    found.push(keyFinding([...path, 'anonymous'], 'keeps every request without a user ID out of the split', hint));
  }
  if (user.jwt === null) return found;
  const { key, audience } = user.jwt;
  const isUsed =
    readsClaims(rollout) ||
    rules.some(({ when }) => when.some(({ on }) => on === 'jwt')) ||
    lendsTokens(rollout, rollouts);
  if (!isUsed) found.push(keyFinding([...path, 'jwt'], 'is not used', 'add jwt:CLAIM to user.from, or leave it out'));
  if (key.kind === 'secret' && Buffer.byteLength(key.secret) < shortestSecretBytes) {
    const problem = `is shorter than ${shortestSecretBytes} bytes`;
    found.push(keyFinding([...path, 'jwt', 'secret'], problem, 'a short secret can be guessed from one token'));
  }
  if (key.kind === 'jwks') {
    const url = URL.parse(key.url);
    if (url?.protocol === 'http:' && !isLoopback(url.hostname.replaceAll(/[[\]]/g, ''))) {
      const hint = 'use https: who can change the answer can forge tokens';
      found.push(keyFinding([...path, 'jwt', 'jwksUrl'], 'is fetched without encryption', hint));
    }
    if (audience === null) {
      const problem = 'takes tokens that were issued for other services';
      found.push(keyFinding([...path, 'jwt'], problem, 'add audience'));
    }
  }
  return found;
}

function versionWarnings({ versions, split, rules, staging }: Rollout, path: Path): Finding[] {
  const [baseline, ...candidates] = versions;
  return candidates.flatMap((version) => {
    const { name } = version;
    const isStaged = version.index === 1 && staging.stages.some(({ percent }) => percent > 0);
    const inRules = rules.some(({ then }) =>
      then.kind === 'use' ? then.version === version : (then.split[name] ?? 0) > 0,
    );
    const noUser = keyFinding(
      [...path, name],
      'gets no user',
      `give it a percent in split, or a rule with use: ${name}`,
    );
    const sameServers = keyFinding(
      [...path, name, 'servers'],
      'are the servers of the baseline',
      "name the new version's servers",
    );
    return [
      ...((split[name] ?? 0) > 0 || isStaged || inRules ? [] : [noUser]),
      ...(originsOf(version) === originsOf(baseline) ? [sameServers] : []),
    ];
  });
}

/** Whose servers are taken for whoever answers in their place. */
function insecureVersions({ versions }: Rollout, path: Path): Finding[] {
  const hint = 'name the authority of their certificates in ca';
  return versions
    .filter(({ tls }) => tls?.insecure === true)
    .map(({ name }) => keyFinding([...path, name, 'tls', 'insecure'], 'takes any certificate of the servers', hint));
}

function originsOf({ servers }: Version): string {
  const origins = servers.map(({ origin }) => origin);
  return origins.toSorted().join(' ');
}

function hiddenRules({ rules }: Rollout, path: Path): Finding[] {
  return rules.flatMap((rule, index) => {
    const cover = coveringRule(rule, rules.slice(0, index));
    if (cover === null) return [];
    return [
      keyFinding(
        [...path, index],
        `never holds: "${cover.name}" before it takes all of its requests`,
        'put the narrower rule first',
      ),
    ];
  });
}
