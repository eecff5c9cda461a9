// Composition, ninth part: what runs beneath the two ports, built in dependency order, and the policy that is in force in it.
import type { Logger } from 'pino';
import { type Control, openControl } from './app-control.ts';
import { openPlane } from './app-plane.ts';
import type { LoadedPolicy } from './config/load-policy.ts';
import { formatProblem, type Problem } from './config/problem.ts';
import { restartNeeded } from './config/restart-needed.ts';
import { ShownPolicy } from './config/shown-policy.ts';
import type { Policy, Rollout } from './rollout/policy.ts';
import { type Split, SplitCells } from './rollout/split.ts';
import { Metrics } from './telemetry/metrics.ts';
import { logInsecure } from './telemetry/tls-log.ts';
import { graygateVersion } from './version.ts';
import type { DataPlane } from './workers/data-plane.ts';

export type Rooms = {
  /** In force. */
  policy: Policy;
  readonly cells: SplitCells;
  readonly shown: ShownPolicy;
  readonly metrics: Metrics;
  readonly control: Control;
  readonly plane: DataPlane;
  readonly logger: Logger;
};

/** Opens the store, the controller and the data plane; nothing listens yet. */
export async function openRooms(loaded: LoadedPolicy, logger: Logger): Promise<Rooms> {
  const { policy, packed } = loaded;
  const cells = new SplitCells();
  const shown = new ShownPolicy(loaded, Date.now());
  let control: Control | null = null;
  const metrics = new Metrics(
    {
      splitOf: (rollout) => cells.of(rollout).current,
      standings: () => control?.standings() ?? [],
      isStoreWell: () => control?.storeStatus().ok ?? false,
    },
    graygateVersion,
  );
  metrics.policyLoaded(policy, Date.now(), false);
  logInsecure(policy, logger);
  let plane: DataPlane | null = null;
  const publish = (rollout: Rollout, split: Split): void => {
    if (plane === null) cells.of(rollout).current = split;
    else plane.publish(rollout, split);
  };
  control = await openControl({ policy, logger, metrics, publish });
  control.recordPolicy(shown.current());
  plane = await openPlane({ policy, packed, cells, metrics, logger, control });
  return { policy, cells, shown, metrics, control, plane, logger };
}

/** Brings what the file says now into force, but for what takes effect at a restart. */
export function adoptFile(rooms: Rooms, next: Policy, file: LoadedPolicy): void {
  const { cells, shown, metrics, control, plane, logger } = rooms;
  const kept = restartNeeded(rooms.policy, next);
  if (kept.length > 0) logger.warn({ keys: kept }, 'these keys take effect at a restart');
  const policy = keepUntilRestart(rooms.policy, next);
  rooms.policy = policy;
  shown.loaded(file, Date.now());
  control.recordPolicy(shown.current());
  cells.keepOnly(policy);
  metrics.policyLoaded(policy, Date.now(), true);
  // First what the splits are, then who reads them.
  control.follow(policy);
  plane.adopt(policy, file.packed);
  logInsecure(policy, logger);
}

/** The file cannot be used: the policy before stays in force. */
export function rejectFile({ shown, metrics, logger }: Rooms, problems: readonly Problem[]): void {
  shown.rejected(problems, Date.now());
  metrics.policyRejected();
  logger.error({ problems: problems.map(formatProblem) }, 'policy rejected, the one before stays in force');
}

function keepUntilRestart(policy: Policy, next: Policy): Policy {
  return {
    ...next,
    listen: policy.listen,
    admin: { ...next.admin, listen: policy.admin.listen },
    workers: policy.workers,
    store: policy.store,
  };
}
