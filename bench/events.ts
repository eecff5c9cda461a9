// How fast what users do is counted, and how fast a report's figures come: `npm run bench:events`. The service of experiments on the
// embedded store, every event durable before it is acknowledged; `--users 1000000 --events 10000000` is the size that it is made for.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import type { Experiments } from '../src/controller/experiments.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import { expose, type Load, send, type Size, startLoad } from './event-load.ts';

const batchCount = 1_000;
const goals = { eventsPerSecond: 10_000, figuresMs: 200 };
const megabyte = 1_000_000;

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

/** Says after each million how fast it went, because a growing file could slow down what follows. */
function progressOf(total: number): (count: number) => void {
  const stepCount = 1_000_000;
  let [sent, since] = [0, performance.now()];
  return (count) => {
    const step = Math.floor(sent / stepCount);
    sent += count;
    if (Math.floor(sent / stepCount) === step || total <= stepCount) return;
    const nowMs = performance.now();
    say(`  of ${total} sent ${sent}, this million a second`, String(Math.round((stepCount * 1_000) / (nowMs - since))));
    since = nowMs;
  };
}

type Counters = { events: number; peakBytes: number };

/** Whether every goal is reached and every event counted once. */
async function measure(load: Load, counters: Counters): Promise<boolean> {
  const { service, size } = load;
  const exposing = await timed(() => expose(load));
  say(`${size.userCount} users exposed, a second`, String(Math.round(size.userCount / exposing)));
  const stopReading = readMeanwhile(service);
  let accepted = 0;
  const rateOf = async (from: number, to: number, inCall: number, how: string): Promise<boolean> => {
    const seconds = await timed(
      async () => (accepted += await send(load, { from, to, inCall, sent: progressOf(to - from) })),
    );
    const rate = Math.round((to - from) / seconds);
    say(`${to - from} events ${how}, a second`, String(rate), rate >= goals.eventsPerSecond);
    return rate >= goals.eventsPerSecond;
  };
  const total = size.eventCount + size.singleCount;
  const isFast = await rateOf(0, size.eventCount, batchCount, `in batches of ${batchCount}`);
  const isFastSingly = await rateOf(size.eventCount, total, 1, 'one by one');
  const tookMs = await stopReading();
  const [medianMs, p99Ms] = [0.5, 0.99].map((share) => tookMs[Math.floor(tookMs.length * share)]!.toFixed(1));
  say('figures while events come, median / p99', `${medianMs} / ${p99Ms} ms`);
  const quietMs = 1_000 * (await timed(() => service.figures('shop')));
  say('figures at rest', `${quietMs.toFixed(1)} ms`, quietMs <= goals.figuresMs);
  const figures = (await service.figures('shop'))!;
  const reported = figures.events.reduce((sum, { count }) => sum + count, 0);
  const isCounted = [reported, accepted, counters.events].every((count) => count === total);
  say('sent, some twice / accepted / counted', `${total} / ${accepted} / ${counters.events}`, isCounted);
  return isFast && isFastSingly && isCounted && quietMs <= goals.figuresMs;
}

async function measureIn(directory: string, size: Size): Promise<boolean> {
  const path = join(directory, 'graygate.db');
  const store = openSqliteStore({ path });
  const counters: Counters = { events: 0, peakBytes: 0 };
  const watch = setInterval(() => (counters.peakBytes = Math.max(counters.peakBytes, process.memoryUsage.rss())), 500);
  const load = startLoad(store.experiments, size, {
    counted: (count) => (counters.events += count),
    trouble: (reason) => say('trouble', reason, false),
  });
  const isGood = await measure(load, counters);
  clearInterval(watch);
  await load.service.close();
  await store.close();
  say('memory of the process at most', `${Math.round(counters.peakBytes / megabyte)} MB`);
  say('the file of experiments', `${Math.round((await stat(`${path}.experiments`)).size / megabyte)} MB`);
  return isGood;
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
  if (!(await measureIn(directory, size))) process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true });
}
