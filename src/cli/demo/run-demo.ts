// The whole demo in one process: two shops, the gateway in front of them, customers, and a line that says how they fare.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { startGateway } from '../../app.ts';
import { GraygateError } from '../../errors.ts';
import type { CommandContext } from '../command-context.ts';
import { canvasOf } from '../paint.ts';
import { untilAborted } from '../until-aborted.ts';
import { describeBehaviour, type Behaviour } from './behaviour.ts';
import { localUrlOf, meetUsers } from './local-gateway.ts';
import { RolloutNews } from './rollout-news.ts';
import { Screen } from './screen.ts';
import { ShopStore } from './shop-data.ts';
import { startShop, type Shop } from './shop.ts';
import { showTraffic } from './show-traffic.ts';
import { onStarterGone } from './starter.ts';
import { startTraffic } from './traffic.ts';
import { welcomeText, type DemoAddresses } from './welcome-text.ts';

export type DemoOptions = {
  /** Null: the policy that comes with graygate. */
  readonly policyFile: string | null;
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  /** Of the new shop. */
  readonly behaviour: Behaviour;
  /** Null: nobody comes but you. */
  readonly traffic: { readonly requestsPerSecond: number; readonly userCount: number } | null;
  /** Null: until it is asked to stop. */
  readonly durationMs: number | null;
  readonly json: boolean;
};

/** Tried first; when they are taken, any free port does. */
const shopPorts = { old: 3001, new: 3002 };
/** Median of what an answer of a shop takes. */
const workMs = 20;
/** How long the store may take before the first rollout begins; then the demo goes on without. */
const patienceMs = 3_000;
const bundledPolicy = fileURLToPath(new URL('../../../config/demo.yaml', import.meta.url));

type Closer = () => Promise<void>;

/** Runs the demo until it is stopped or its time is over; then everything is closed and every port is free. */
export async function runDemo(options: DemoOptions, context: CommandContext): Promise<void> {
  const closers: Closer[] = [];
  try {
    await run(options, context, closers);
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

async function run(options: DemoOptions, context: CommandContext, closers: Closer[]): Promise<void> {
  const deserted = new AbortController();
  context.onHangUp(() => deserted.abort());
  await onStarterGone(context.env, () => deserted.abort());
  const screen = new Screen(context.stdout, context.stderr);
  const news = new RolloutNews(screen, { json: options.json, canvas: () => canvasOf(context.stdout, context) });
  const shops = await openShops(options.behaviour, closers);
  const store = await openStoreFolder(context.env, closers);
  const addresses = await openGateway(options, { shops, news, env: { ...context.env, ...store } }, closers);
  await Promise.race([news.first, delay(patienceMs, undefined, { ref: false })]);
  if (options.json) screen.say(JSON.stringify(addresses));
  else screen.say(await describeDemo(addresses, options, news.firstRollout));
  news.begin();

  const limits = options.durationMs === null ? [] : [AbortSignal.timeout(options.durationMs)];
  const end = AbortSignal.any([context.stop, deserted.signal, ...limits]);
  if (options.traffic === null) return untilAborted(end);
  const traffic = startTraffic({ target: addresses.traffic, ...options.traffic });
  const shown = showTraffic(traffic.tally, { screen, json: options.json, standing: () => news.standing });
  closers.push(async () => {
    await traffic.stop();
    shown.close();
  });
  return untilAborted(end);
}

async function openShops(behaviour: Behaviour, closers: Closer[]): Promise<{ old: Shop; fresh: Shop }> {
  const store = new ShopStore();
  const old = await startShop({ look: 'old', release: '1.8.2', store, port: shopPorts.old, workMs });
  closers.push(() => old.close());
  const fresh = await startShop({ look: 'new', release: '2.0.0', store, port: shopPorts.new, behaviour, workMs });
  closers.push(() => fresh.close());
  return { old, fresh };
}

/** Each start begins anew: the state is kept in a folder that is gone afterwards, unless the environment names another place. */
async function openStoreFolder(env: NodeJS.ProcessEnv, closers: Closer[]): Promise<{ GRAYGATE_DEMO_STORE: string }> {
  if (env['GRAYGATE_DEMO_STORE']) return { GRAYGATE_DEMO_STORE: env['GRAYGATE_DEMO_STORE'] };
  const folder = await mkdtemp(join(tmpdir(), 'graygate-demo-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  return { GRAYGATE_DEMO_STORE: `sqlite:${join(folder, 'demo.db')}` };
}

type Surroundings = {
  readonly shops: { readonly old: Shop; readonly fresh: Shop };
  readonly news: RolloutNews;
  readonly env: NodeJS.ProcessEnv;
};

async function openGateway(
  options: DemoOptions,
  { shops, news, env }: Surroundings,
  closers: Closer[],
): Promise<DemoAddresses> {
  const policy = options.policyFile ?? relative('', bundledPolicy);
  const gateway = await startGateway({
    configFile: policy,
    env: {
      ...env,
      GRAYGATE_DEMO_HOST: options.host,
      GRAYGATE_DEMO_PORT: String(options.port),
      GRAYGATE_DEMO_ADMIN_PORT: String(options.adminPort),
      GRAYGATE_DEMO_OLD_PORT: String(shops.old.port),
      GRAYGATE_DEMO_NEW_PORT: String(shops.fresh.port),
    },
    logger: pino({ level: 'info' }, { write: news.hear }),
  }).catch((error: unknown) => {
    throw explainTakenPort(error, options);
  });
  closers.push(() => gateway.close());
  return {
    traffic: localUrlOf(gateway.trafficUrl),
    admin: localUrlOf(gateway.adminUrl),
    oldShop: shops.old.url,
    newShop: shops.fresh.url,
    policy,
  };
}

async function describeDemo(
  addresses: DemoAddresses,
  { behaviour, traffic }: DemoOptions,
  rollout: string | null,
): Promise<string> {
  return welcomeText({
    addresses,
    behaviour: describeBehaviour(behaviour),
    users: await meetUsers(addresses.traffic),
    traffic: traffic && `${traffic.requestsPerSecond} requests a second from ${traffic.userCount} users`,
    rollout: rollout ?? 'shop',
  });
}

function explainTakenPort(error: unknown, { adminPort }: DemoOptions): unknown {
  if (!(error instanceof GraygateError) || error.code !== 'listen-failed') return error;
  const { cause } = error;
  if (!(cause instanceof Error) || !('code' in cause) || cause.code !== 'EADDRINUSE' || !('port' in cause))
    return error;
  const option = cause.port === adminPort ? '--admin-port' : '--port';
  const message = `port ${String(cause.port)} is taken; name another with ${option} NUMBER, or 0 for any that is free`;
  return new GraygateError('listen-failed', message, { cause: error });
}
