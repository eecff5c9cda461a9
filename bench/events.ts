// How fast what users do is counted, and how fast a report's figures come: `npm run bench:events`. The service of experiments on the
// embedded store, every event durable before it is acknowledged; `--users 1000000 --events 10000000` is the size that it is made for.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { Experiments } from '../src/controller/experiments.ts';
import type { BusinessEvent, Experiment, Metric } from '../src/rollout/experiment.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';

const goals = { eventsPerSecond: 10_000, figuresMs: 200 };
const hourMs = 3_600_000;
const beginMs = Date.UTC(2026, 10, 22, 12);
/** Simulated time that the events are spread over: conversions settle and days end meanwhile. */
const spanMs = 60 * hourMs;
const batchCount = 1_000;
/** Calls under way at once, as of so many senders. */
const senderCount = 8;
const singleSenderCount = 256;
const megabyte = 1_000_000;

const purchase = { event: 'purchase', cap: 500 } as const;
const metrics: Experiment['metrics'] = [
  { kind: 'conversion', name: 'conversion', event: 'purchase', of: null, windowMs: 24 * hourMs },
  { kind: 'conversion', name: 'funnel', event: 'purchase', of: 'view', windowMs: 24 * hourMs },
  { kind: 'revenue', name: 'revenue', ...purchase },
  { kind: 'value', name: 'order-value', ...purchase },
  { kind: 'events', name: 'views', event: 'view' },
  { kind: 'retention', name: 'day-1', day: 1 } satisfies Metric,
];
const experiment: Experiment = {
  metrics,
  alpha: 0.05,
  expectedUserCount: null,
  leastMs: 0,
  stopWhen: null,
  then: 'report',
  keepMs: 30 * 24 * hourMs,
  timeZone: 'Asia/Shanghai',
};

type Size = { readonly userCount: number; readonly eventCount: number; readonly singleCount: number };
type Load = {
  readonly service: Experiments;
  readonly size: Size;
  /** To so much (0-1) of the simulated time; returns what it is then. */
  readonly advance: (share: number) => number;
};

/** The user who does an event: some more often than others, none in any order that a disk would like. */
function userOf(number: number, { userCount }: Size): number {
  const spread = Math.imul(number ^ 0x5bd1_e995, 0x9e37_79b1) >>> 0;
  const chance = spread / 2 ** 32;
  return Math.floor(chance * Math.sqrt(chance) * userCount);
}

function eventOf(number: number, size: Size, atMs: number): BusinessEvent {
  const isPurchase = number % 10 === 0;
  return {
    id: `event-${number}`,
    rollout: 'shop',
    user: `user-${userOf(number, size)}`,
    event: isPurchase ? 'purchase' : 'view',
    value: isPurchase ? 5 + (number % 97) : 0,
    atMs,
  };
}

async function expose({ service, size, advance }: Load): Promise<void> {
  for (let user = 0; user < size.userCount; user += 1) {
    const bucket = (Math.imul(user + 1, 0x85eb_ca6b) >>> 0) % 10_000;
    const version = bucket < 5_000 ? 'canary' : 'stable';
    const atMs = advance((0.1 * user) / size.userCount);
    const seen = { rollout: 'shop', release: '2', version, user: `user-${user}`, bucket };
    service.exposed({ ...seen, percents: [50, 50], atMs });
    if (service.status().waitingCount >= 20_000) await service.figures('shop');
  }
  await service.figures('shop');
}

/** Sends events in calls of a size, several at a time; every tenth call twice. Resolves with how many were accepted. */
async function send({ service, size, advance }: Load, from: number, to: number, inCall: number): Promise<number> {
  let next = from;
  let accepted = 0;
  const sender = async (): Promise<void> => {
    while (next < to) {
      const first = next;
      next = Math.min(to, next + inCall);
      const atMs = advance(0.1 + (0.9 * first) / (size.eventCount + size.singleCount));
      const events = Array.from({ length: next - first }, (_, i) => eventOf(first + i, size, atMs));
      const answers = await service.ingest(events);
      accepted += answers.filter(({ status }) => status === 'accepted').length;
      if ((first / inCall) % 10 === 0) {
        const again = await service.ingest(events);
        accepted +=
          answers.length === again.length ? again.filter(({ status }) => status === 'accepted').length : Infinity;
      }
    }
  };
  await Promise.all(Array.from({ length: inCall === 1 ? singleSenderCount : senderCount }, sender));
  return accepted;
}

/** Reads figures four times a second until told to stop; returns how long each took, in ms. */
function readMeanwhile(service: Experiments): () => Promise<number[]> {
  const tookMs: number[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    while (!stop.signal.aborted) {
      const began = performance.now();
      await service.figures('shop');
      tookMs.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  })();
  return async () => {
    stop.abort();
    await reading;
    return tookMs.toSorted((a, b) => a - b);
  };
}

function say(what: string, figure: string, isGood: boolean | null = null): void {
  const judged =
    isGood === null ? figure : styleText(isGood ? 'green' : 'red', `${figure} ${isGood ? 'ok' : 'MISSED'}`);
  process.stdout.write(`${what.padEnd(46)}${judged}\n`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}

async function measure(size: Size, directory: string): Promise<boolean> {
  const path = join(directory, 'graygate.db');
  const store = openSqliteStore({ path });
  let nowMs = beginMs;
  const counters = { events: 0, peakBytes: 0 };
  const watch = setInterval(() => (counters.peakBytes = Math.max(counters.peakBytes, process.memoryUsage.rss())), 500);
  const service = new Experiments({
    store: store.experiments,
    nowMs: () => nowMs,
    counted: ({ count }) => (counters.events += count),
    dropped: (count) => say('dropped', String(count), false),
    troubled: (reason) => reason !== null && say('trouble', reason, false),
  });
  const versions = [{ name: 'stable' }, { name: 'canary' }];
  service.follow({ rollouts: [{ name: 'shop', versions, staging: { release: '2' }, events: [], experiment }] });
  service.splitChanged({ rollout: 'shop', release: '2', percents: [50, 50], atMs: beginMs });
  const load: Load = {
    service,
    size,
    advance: (share) => (nowMs = Math.max(nowMs, Math.round(beginMs + share * spanMs))),
  };

  const exposing = await timed(() => expose(load));
  say(`${size.userCount} users exposed, a second`, String(Math.round(size.userCount / exposing)));
  const stopReading = readMeanwhile(service);
  let accepted = 0;
  const batches = await timed(async () => (accepted += await send(load, 0, size.eventCount, batchCount)));
  const rate = Math.round(size.eventCount / batches);
  say(`${size.eventCount} events in batches of ${batchCount}, a second`, String(rate), rate >= goals.eventsPerSecond);
  const total = size.eventCount + size.singleCount;
  const singles = await timed(async () => (accepted += await send(load, size.eventCount, total, 1)));
  const single = Math.round(size.singleCount / singles);
  say(`${size.singleCount} events one by one, a second`, String(single), single >= goals.eventsPerSecond);
  const tookMs = await stopReading();
  const whileBusy = tookMs[Math.floor(tookMs.length * 0.99)]!;
  say('figures while events come, p99 of waiting', `${whileBusy.toFixed(1)} ms`);

  const quiet = await timed(() => service.figures('shop'));
  say('figures at rest', `${(quiet * 1_000).toFixed(1)} ms`, quiet * 1_000 <= goals.figuresMs);
  const figures = (await service.figures('shop'))!;
  const reported = figures.events.reduce((sum, { count }) => sum + count, 0);
  const isCounted = reported === total && accepted === total && counters.events === total;
  say('events sent, some twice / accepted / counted', `${total} / ${accepted} / ${counters.events}`, isCounted);
  clearInterval(watch);
  await service.close();
  await store.close();
  say('memory of the process at most', `${Math.round(counters.peakBytes / megabyte)} MB`);
  say('the file of experiments', `${Math.round((await stat(`${path}.experiments`)).size / megabyte)} MB`);
  return isCounted && rate >= goals.eventsPerSecond && quiet * 1_000 <= goals.figuresMs;
}

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '100000' },
    events: { type: 'string', default: '1000000' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const directory = await mkdtemp(join(values.directory, 'graygate-bench-'));
try {
  const eventCount = Number(values.events);
  const size = {
    userCount: Number(values.users),
    eventCount,
    singleCount: Math.min(100_000, Math.floor(eventCount / 10)),
  };
  if (!(await measure(size, directory))) process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true });
}
