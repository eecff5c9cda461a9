// The composition root: builds every room in dependency order, fits them together, and takes them down in reverse.
// The only place that knows all of them.
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createAdmin } from './admin/admin.ts';
import { adminPartsOf } from './app-admin.ts';
import { adoptFile, openRooms, rejectFile, type Rooms } from './app-rooms.ts';
import type { Environment } from './config/environment.ts';
import { loadPolicy } from './config/load-policy.ts';
import { PolicyError } from './config/policy-error.ts';
import { watchPolicy } from './config/watch-policy.ts';
import { GraygateError } from './errors.ts';
import type { Policy } from './rollout/policy.ts';
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
  const rooms = await openRooms(loaded, logger);
  const { control, plane } = rooms;
  let draining = false;
  const admin = adminOf(rooms, () => draining);
  const urls = await listenOnBoth(rooms.policy, plane, admin).catch(async (error: unknown) => {
    await plane.close(0);
    await admin.close();
    await control.close();
    throw error;
  });
  const watcher = await watchPolicy({
    file: configFile,
    env,
    loaded,
    onLoaded(next, file) {
      adoptFile(rooms, next, file);
      logger.info({ file: configFile, rollouts: next.rollouts.map(({ name }) => name) }, 'policy loaded');
    },
    onRejected: (problems) => rejectFile(rooms, problems),
  });
  logger.info({ ...urls, file: configFile }, 'graygate is ready');

  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    draining = true;
    const { drainMs } = rooms.policy.timeouts;
    logger.info({ drainMs }, 'draining');
    await watcher.close();
    await plane.close(drainMs);
    await control.close();
    await admin.close();
    logger.info('graygate has stopped');
  };
  return {
    trafficUrl: urls.traffic,
    adminUrl: urls.admin,
    async reload() {
      await watcher.reload();
      await plane.settled();
    },
    close: () => (closing ??= close()),
  };
}

function adminOf(rooms: Rooms, isDraining: () => boolean): FastifyInstance {
  const { plane } = rooms;
  return createAdmin(
    adminPartsOf({
      ...rooms,
      version: graygateVersion,
      policy: () => rooms.policy,
      isDraining,
      condition: () => plane.condition(),
      caughtUp: () => plane.caughtUp(),
    }),
  );
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
