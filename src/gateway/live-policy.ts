// A policy made ready to serve: everything a request would otherwise have to look up or build, done once at load.
import type { CompiledRollout } from '../rollout/compiled-rollout.ts';
import { compileRollouts, type RolloutTable } from '../rollout/matching.ts';
import type { FallbackReason, FaultKind, Outcome, RetryReason } from '../rollout/outcome.ts';
import type { Policy, Rollout, Version } from '../rollout/policy.ts';
import type { SplitCell } from '../rollout/split.ts';
import type { Onlooker } from './answer-tap.ts';
import type { ExposureNotes } from './events/exposure-notes.ts';
import { MirrorOnlooker } from './mirror/mirror.ts';
import type { MirrorParts } from './mirror/request-copy.ts';
import { ServerGroup } from './servers/server-group.ts';
import type { ServerRegistry } from './servers/server-registry.ts';
import { type TokenVerifier, createTokenVerifier } from './tokens.ts';
import type { UpstreamClient } from './upstream/upstream-client.ts';

/** Takes down what happens to the requests of one version; telemetry provides one per version, bound to its labels. */
export interface VersionProbe {
  /** A request is under way here; every `entered` is followed by one `left`. */
  entered(): void;
  left(): void;
  /** What is under way here stays open for long; followed by one `streamClosed`. */
  streamOpened(): void;
  streamClosed(): void;
  /** The version has a whole request to answer: from now on it is slow, not the client; followed by one `unawaited`. */
  awaited(): void;
  unawaited(): void;
  /** The head of a server's answer arrived. */
  answered(): void;
  /** A server of this version failed; named by its origin, as the policy has it. */
  faulted(server: string, kind: FaultKind): void;
  /** No server of this version could be asked. */
  unserved(): void;
  /** The request is sent again to this version. */
  retried(reason: RetryReason): void;
  /** The baseline answers for this candidate. */
  fellBack(reason: FallbackReason): void;
  /** A request that this version answered, or was to answer, has ended. */
  finished(outcome: Outcome): void;
}

export interface Telemetry {
  probe(rollout: string, version: string): VersionProbe;
}

export type LiveVersion = {
  readonly version: Version;
  readonly group: ServerGroup;
  readonly probe: VersionProbe;
  /** Raw headers towards the server. */
  readonly decisionHeaders: readonly string[];
  /** Raw headers towards the client; empty where the version is not exposed. */
  readonly exposedHeaders: readonly string[];
};

export type LiveRollout = {
  readonly rollout: Rollout;
  readonly cell: SplitCell;
  readonly versions: readonly [LiveVersion, ...LiveVersion[]];
  /** Null: nobody reads a claim. */
  readonly verifyToken: TokenVerifier | null;
  /** Counts the users of an experiment; null: there is none. */
  readonly notes: ExposureNotes | null;
  /** Asked in this order, each once a request. */
  readonly onlookers: readonly Onlooker[];
};

/** What a policy needs of the rooms around it. */
export type LiveParts = {
  readonly registry: ServerRegistry;
  readonly telemetry: Telemetry;
  /** The split in force of a rollout. */
  cellOf(rollout: Rollout): SplitCell;
  /** Who counts the users of a rollout; absent: nobody. */
  notesOf?(rollout: Rollout): ExposureNotes | null;
  /** Who looks on at the requests of a rollout; absent: nobody. */
  onlookersOf?(rollout: Rollout): readonly Onlooker[];
} & Pick<MirrorParts, 'mirrored' | 'differed'>;

/** Counts the requests that began on it, so that its servers are let go when the last one of a replaced policy has ended. */
export class LivePolicy {
  readonly policy: Policy;
  readonly table: RolloutTable;
  readonly #rollouts: ReadonlyMap<Rollout, LiveRollout>;
  #openCount = 0;
  #retired = false;

  constructor(policy: Policy, parts: LiveParts) {
    this.policy = policy;
    this.table = compileRollouts(policy);
    this.#rollouts = new Map(this.table.rollouts.map((compiled) => [compiled.rollout, liven(compiled, parts)]));
  }

  rolloutOf(rollout: Rollout): LiveRollout {
    return this.#rollouts.get(rollout)!;
  }

  hold(): void {
    this.#openCount += 1;
  }

  letGo(): void {
    this.#openCount -= 1;
    this.#releaseIfDone();
  }

  /** No new request begins on this policy. */
  retire(): void {
    this.#retired = true;
    this.#releaseIfDone();
  }

  #releaseIfDone(): void {
    if (!this.#retired || this.#openCount > 0) return;
    for (const { versions } of this.#rollouts.values()) {
      // A pool that is closing has nothing under way any more; closing again or late is harmless.
      for (const { group } of versions) group.release().catch(() => undefined);
    }
  }
}

function liven({ rollout, needsClaims }: CompiledRollout, parts: LiveParts): LiveRollout {
  const [baseline, ...candidates] = rollout.versions;
  const livenVersion = (version: Version): LiveVersion => ({
    version,
    group: new ServerGroup({
      registry: parts.registry,
      rollout: rollout.name,
      version,
      isLastResort: version.index === 0 || rollout.fallback === 'none',
    }),
    probe: parts.telemetry.probe(rollout.name, version.name),
    decisionHeaders: ['x-graygate-rollout', rollout.name, 'x-graygate-version', version.name],
    exposedHeaders: rollout.expose ? ['x-graygate-version', version.name] : [],
  });
  const versions = [livenVersion(baseline), ...candidates.map(livenVersion)] as const;
  const onlookers = [...(parts.onlookersOf?.(rollout) ?? []), ...mirrorsOf(rollout, versions, parts)];
  const { jwt } = rollout.user;
  const readsClaims = needsClaims || onlookers.some((onlooker) => onlooker.needsClaims);
  return {
    rollout,
    cell: parts.cellOf(rollout),
    versions,
    verifyToken: jwt !== null && readsClaims ? createTokenVerifier(jwt) : null,
    notes: parts.notesOf?.(rollout) ?? null,
    onlookers,
  };
}

function mirrorsOf(
  { name, mirror }: Rollout,
  versions: readonly LiveVersion[],
  { mirrored, differed }: LiveParts,
): readonly Onlooker[] {
  if (mirror === null) return [];
  const { group } = versions[mirror.to.index]!;
  // Copies go to all servers, also where users keep to one.
  const pick = (): UpstreamClient | null => group.next([], `${Math.random()}`)?.client ?? null;
  return [new MirrorOnlooker({ mirror, rollout: name, mirrored, differed, pick })];
}
