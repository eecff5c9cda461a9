// The composition root: builds every room in dependency order, fits them together, and takes them down in reverse.
// The only place that knows all of them.
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createAdmin } from './admin/admin.ts';
import { adminPartsOf } from './app-admin.ts';
import { type Control, openControl } from './app-control.ts';
import { openPlane } from './app-plane.ts';
import type { Environment } from './config/environment.ts';
import { type LoadedPolicy, loadPolicy } from './config/load-policy.ts';
import { PolicyError } from './config/policy-error.ts';
import { formatProblem } from './config/problem.ts';
import { restartNeeded } from './config/restart-needed.ts';
import { ShownPolicy } from './config/shown-policy.ts';
import { watchPolicy } from './config/watch-policy.ts';
import { GraygateError } from './errors.ts';
import type { Policy, Rollout } from './rollout/policy.ts';
import { type Split, SplitCells } from './rollout/split.ts';
import { Metrics } from './telemetry/metrics.ts';
import { logInsecure } from './telemetry/tls-log.ts';
import { graygateVersion } from './version.ts';
import type { DataPlane } from './workers/data-plane.ts';

export type StartOptions = {
  readonly configFile: string;
  readonly env: Environment;
  readonly logger: Logger;
};

export type RunningGateway = {
  readonly trafficUrl: string;
  readonly adminUrl: string;
  /** Looks at the policy file now; resolves when it is in force, or rejected and logged. */
  reload(): Promise<void>;
  /** Lets requests under way end within `timeouts.drain`, then stops. A second call waits for the first. */
  close(): Promise<void>;
};

/**
 * Runs the gateway in this process until `close`. Throws a PolicyError for a policy that cannot be used and a GraygateError
 * `listen-failed` for an address that cannot be had; then nothing is left running.
 */
export async function startGateway({ configFile, env, logger }: StartOptions): Promise<RunningGateway> {
  const loaded = await loadPolicy(configFile, env);
  if (!loaded.ok) throw new PolicyError(loaded.problems);
  let policy: Policy = loaded.policy;
  let draining = false;
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
  const inControl = await openControl({ policy, logger, metrics, publish });
  control = inControl;
  inControl.recordPolicy(shown.current());
  const dataPlane = await openPlane({ policy, packed: loaded.packed, cells, metrics, logger, control: inControl });
  plane = dataPlane;
  const parts = adminPartsOf({
    control: inControl,
    cells,
    metrics,
    logger,
    version: graygateVersion,
    shown,
    policy: () => policy,
    isDraining: () => draining,
    condition: () => dataPlane.condition(),
    caughtUp: () => dataPlane.caughtUp(),
  });
  const admin = createAdmin(parts);

  const urls = await listenOnBoth(policy, dataPlane, admin).catch(async (error: unknown) => {
    await dataPlane.close(0);
    await admin.close();
    await inControl.close();
    throw error;
  });
  const adopt = (next: Policy, file: LoadedPolicy): void => {
    const kept = restartNeeded(policy, next);
    if (kept.length > 0) logger.warn({ keys: kept }, 'these keys take effect at a restart');
    policy = {
      ...next,
      listen: policy.listen,
      admin: { ...next.admin, listen: policy.admin.listen },
      workers: policy.workers,
      store: policy.store,
    };
    shown.loaded(file, Date.now());
    inControl.recordPolicy(shown.current());
    cells.keepOnly(policy);
    metrics.policyLoaded(policy, Date.now(), true);
    // First what the splits are, then who reads them.
    inControl.follow(policy);
    dataPlane.adopt(policy, file.packed);
    logInsecure(policy, logger);
    logger.info({ file: configFile, rollouts: policy.rollouts.map(({ name }) => name) }, 'policy loaded');
  };
  const watcher = await watchPolicy({
    file: configFile,
    env,
    loaded,
    onLoaded: adopt,
    onRejected(problems) {
      shown.rejected(problems, Date.now());
      metrics.policyRejected();
      logger.error({ problems: problems.map(formatProblem) }, 'policy rejected, the one before stays in force');
    },
  });
  logger.info({ ...urls, file: configFile }, 'graygate is ready');

  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    draining = true;
    logger.info({ drainMs: policy.timeouts.drainMs }, 'draining');
    await watcher.close();
    await dataPlane.close(policy.timeouts.drainMs);
    await inControl.close();
    await admin.close();
    logger.info('graygate has stopped');
  };
  return {
    trafficUrl: urls.traffic,
    adminUrl: urls.admin,
    async reload() {
      await watcher.reload();
      await dataPlane.settled();
    },
    close: () => (closing ??= close()),
  };
}

type Listening = { readonly traffic: string; readonly admin: string };

async function listenOnBoth(policy: Policy, plane: DataPlane, admin: FastifyInstance): Promise<Listening> {
  const traffic = await listenOrFail(policy.listen, () => plane.listen(), policy.tls === null ? 'http' : 'https');
  const adminUrl = await listenOrFail(policy.admin.listen, async () => {
    await admin.listen({ ...policy.admin.listen });
    return (admin.server.address() as { port: number }).port;
  });
  return { traffic, admin: adminUrl };
}

async function listenOrFail(
  { host, port }: { host: string; port: number },
  listen: () => Promise<number>,
  scheme: 'http' | 'https' = 'http',
): Promise<string> {
  try {
    const actualPort = await listen();
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${actualPort}`;
  } catch (error) {
    if (error instanceof GraygateError) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new GraygateError('listen-failed', `expected to listen on ${host}:${port}, got ${reason}`, { cause: error });
  }
}
