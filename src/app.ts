// The composition root: builds every room in dependency order, fits them together, and takes them down in reverse.
// The only place that knows all of them.
import { createRequire } from 'node:module';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createAdmin } from './admin/admin.ts';
import { adminPartsOf } from './app-admin.ts';
import { type Control, openControl } from './app-control.ts';
import type { Environment } from './config/environment.ts';
import { type LoadedPolicy, loadPolicy } from './config/load-policy.ts';
import { formatProblem, type Problem } from './config/problem.ts';
import { restartNeeded } from './config/restart-needed.ts';
import { ShownPolicy } from './config/shown-policy.ts';
import { watchPolicy } from './config/watch-policy.ts';
import { GraygateError } from './errors.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import type { Policy } from './rollout/policy.ts';
import { SplitCells } from './rollout/split.ts';
import { createServerLog } from './telemetry/server-log.ts';
import { createAccessLog } from './telemetry/access-log.ts';
import { Metrics } from './telemetry/metrics.ts';

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

/** The version in package.json, two folders up from the source and one from the built file alike. */
export const graygateVersion: string = (createRequire(import.meta.url)('../package.json') as { version: string })
  .version;

/** A policy that cannot be used, with everything that is wrong with it. */
export class PolicyError extends GraygateError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('policy-invalid', `the policy has ${problems.length} problem${problems.length === 1 ? '' : 's'}`);
    this.problems = problems;
  }
}

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
  const inControl = await openControl({ policy, logger, metrics, cells });
  control = inControl;
  inControl.recordPolicy(shown.current());
  let accessLog = createAccessLog(logger, policy.logging.access);
  const logServer = createServerLog(logger);
  const gateway = await createGateway({
    policy,
    telemetry: metrics,
    cellOf: (rollout) => cells.of(rollout),
    decided: (decision) => inControl.assigned(decision),
    finished(outcome) {
      if (outcome.version === null) metrics.unmatched.counted(outcome.status, outcome.method);
      else inControl.observe(outcome);
      accessLog?.(outcome);
    },
    exposed: () => undefined,
    happened: () => undefined,
    unread: (event) => metrics.events.unread(event),
    mirrored: (record) => metrics.mirror.mirrored(record),
    differed: (difference) => metrics.mirror.differed(difference),
    malformed: (status) => metrics.unmatched.counted(status, ''),
    serverChanged(report) {
      metrics.servers.changed(report);
      logServer(report);
    },
    failed: (error) => logger.error({ err: error }, 'a request failed inside graygate'),
  });
  const parts = adminPartsOf({
    control: inControl,
    cells,
    metrics,
    logger,
    version: graygateVersion,
    shown,
    policy: () => policy,
    isDraining: () => draining,
  });
  const admin = createAdmin(parts);

  const urls = await listenOnBoth(policy, gateway, admin).catch(async (error: unknown) => {
    await gateway.close(0);
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
      store: policy.store,
    };
    shown.loaded(file, Date.now());
    inControl.recordPolicy(shown.current());
    cells.keepOnly(policy);
    metrics.policyLoaded(policy, Date.now(), true);
    accessLog = createAccessLog(logger, policy.logging.access);
    // First what the splits are, then who reads them.
    inControl.follow(policy);
    gateway.adopt(policy);
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
    await gateway.close(policy.timeouts.drainMs);
    await inControl.close();
    await admin.close();
    logger.info('graygate has stopped');
  };
  return {
    trafficUrl: urls.traffic,
    adminUrl: urls.admin,
    reload: () => watcher.reload(),
    close: () => (closing ??= close()),
  };
}

type Listening = { readonly traffic: string; readonly admin: string };

async function listenOnBoth(policy: Policy, gateway: Gateway, admin: FastifyInstance): Promise<Listening> {
  const traffic = await listenOrFail(policy.listen, () => gateway.listen());
  const adminUrl = await listenOrFail(policy.admin.listen, async () => {
    await admin.listen({ ...policy.admin.listen });
    return (admin.server.address() as { port: number }).port;
  });
  return { traffic, admin: adminUrl };
}

async function listenOrFail(
  { host, port }: { host: string; port: number },
  listen: () => Promise<number>,
): Promise<string> {
  try {
    const actualPort = await listen();
    return `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new GraygateError('listen-failed', `expected to listen on ${host}:${port}, got ${reason}`, { cause: error });
  }
}
