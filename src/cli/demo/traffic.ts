// Generated customers of the demo shop: a fixed population at a steady rate. It speaks to this machine only and never has
// more than a bounded number of requests open, whatever the gateway does.
import { Agent, request as startRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { products } from './shop-data.ts';
import { TrafficTally } from './traffic-tally.ts';

export type TrafficOptions = {
  /** `http://127.0.0.1:PORT` or `http://[::1]:PORT`; any other host is refused. */
  readonly target: string;
  readonly requestsPerSecond: number;
  /** Users `u-1` … `u-N`. */
  readonly userCount: number;
};

/** `heldBackCount`: requests that were due while too many were open. */
export type Traffic = { readonly tally: TrafficTally; readonly heldBackCount: number; stop(): Promise<void> };

/** What a generated customer asks for. */
type Errand = { readonly method: 'GET' | 'POST'; readonly path: string; readonly body: string | null };

/** Requests that may be open at the same time. */
export const maxOpenCount = 64;
/** The name under which a request without an answer, or with one that no version gave, is counted. */
export const noVersion = 'none';

const intervalMs = 20;
const timeoutMs = 15_000;
/** How long `stop` waits before it cuts what is open. */
const patienceMs = 1_000;

/** Begins at once; `stop` resolves when no request is open any more. Throws a RangeError for a target elsewhere. */
export function startTraffic(options: TrafficOptions): Traffic {
  const target = localTarget(options.target);
  const agent = new Agent({ keepAlive: true, maxSockets: maxOpenCount });
  const tally = new TrafficTally();
  const open = new Set<Promise<void>>();
  const startedAt = performance.now();
  let dueCount = 0;
  let heldBackCount = 0;
  const visit = async () => {
    const user = `u-${1 + Math.floor(Math.random() * options.userCount)}`;
    const { version, status } = await send({ target, agent, user, errand: nextErrand() });
    tally.count(version, status === null || status >= 500);
  };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * options.requestsPerSecond);
    for (; dueCount < due; dueCount += 1) {
      if (open.size >= maxOpenCount) {
        heldBackCount += 1;
        continue;
      }
      const visiting: Promise<void> = visit().finally(() => open.delete(visiting));
      open.add(visiting);
    }
  }, intervalMs);
  const stop = async () => {
    clearInterval(timer);
    await Promise.race([Promise.all(open), delay(patienceMs, undefined, { ref: false })]);
    agent.destroy();
    await Promise.all(open);
  };
  return {
    tally,
    stop,
    get heldBackCount() {
      return heldBackCount;
    },
  };
}

function localTarget(target: string): URL {
  const url = new URL(target);
  if (url.protocol !== 'http:' || !['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) {
    throw new RangeError(`expected the gateway on this machine, got ${target}`);
  }
  return url;
}

/** Most look around, some fill a cart, few order. */
function nextErrand(): Errand {
  const product = products[Math.floor(Math.random() * products.length)]!.id;
  const chance = Math.random();
  if (chance < 0.2) return { method: 'GET', path: '/', body: null };
  if (chance < 0.8) return { method: 'GET', path: `/api/products/${product}`, body: null };
  if (chance < 0.9) return { method: 'POST', path: '/api/cart', body: JSON.stringify({ product }) };
  return { method: 'POST', path: '/api/orders', body: JSON.stringify([{ product, quantity: 1 }]) };
}

type Sending = { readonly target: URL; readonly agent: Agent; readonly user: string; readonly errand: Errand };

/** Never rejects: a request that failed has the status null. */
function send({ target, agent, user, errand }: Sending): Promise<{ version: string; status: number | null }> {
  const headers = { 'x-user-id': user, ...(errand.body === null ? {} : { 'content-type': 'application/json' }) };
  return new Promise((resolve) => {
    const request = startRequest(new URL(errand.path, target), { method: errand.method, agent, headers });
    request.setTimeout(timeoutMs, () => request.destroy(new Error('the gateway did not answer')));
    request.once('error', () => resolve({ version: noVersion, status: null }));
    request.once('response', (response) => {
      const named = response.headers['x-graygate-version'];
      const version = typeof named === 'string' ? named : noVersion;
      response.once('close', () =>
        resolve({ version, status: response.complete ? (response.statusCode ?? null) : null }),
      );
      response.on('error', () => undefined).resume();
    });
    request.end(errand.body ?? undefined);
  });
}
