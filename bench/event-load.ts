// A shop with users who come and buy, as a load for the service of experiments: time is simulated, everything else is real.
import { Experiments } from '../src/controller/experiments.ts';
import type { ExperimentKeeper } from '../src/controller/experiment-parts.ts';
import type { BusinessEvent, Experiment, Metric } from '../src/rollout/experiment.ts';

export type Size = { readonly userCount: number; readonly eventCount: number; readonly singleCount: number };

export type Load = {
  readonly service: Experiments;
  readonly size: Size;
  /** To so much (0-1) of the simulated time; returns what it is then. */
  readonly advance: (share: number) => number;
};

/** Events by their numbers, in calls of a size; `sent` is told of how many after each call. */
export type Sending = {
  readonly from: number;
  readonly to: number;
  readonly inCall: number;
  readonly sent: (count: number) => void;
};

/** What the service says by itself. */
export type Told = { counted(count: number): void; trouble(reason: string): void };

const hourMs = 3_600_000;
const beginMs = Date.UTC(2026, 10, 22, 12);
/** Simulated time that the events are spread over: conversions settle and days end meanwhile. */
const spanMs = 60 * hourMs;
/** Calls under way at once, as of so many senders. */
const senderCount = 8;
const singleSenderCount = 256;

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

/** The service on a store, with simulated time, and the load that it will bear. */
export function startLoad(store: ExperimentKeeper, size: Size, told: Told): Load {
  let nowMs = beginMs;
  const service = new Experiments({
    store,
    nowMs: () => nowMs,
    counted: ({ count }) => told.counted(count),
    dropped: (count) => told.trouble(`${count} dropped`),
    troubled: (reason) => reason !== null && told.trouble(reason),
  });
  const versions = [{ name: 'stable' }, { name: 'canary' }];
  service.follow({ rollouts: [{ name: 'shop', versions, staging: { release: '2' }, events: [], experiment }] });
  service.splitChanged({ rollout: 'shop', release: '2', percents: [50, 50], atMs: beginMs });
  return {
    service,
    size,
    advance: (share) => (nowMs = Math.max(nowMs, Math.round(beginMs + share * spanMs))),
  };
}

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
    value: isPurchase ? (500 + (number % 9_700)) / 100 : 0,
    atMs,
  };
}

/** Has every user seen once, on a version by the bucket. */
export async function expose({ service, size, advance }: Load): Promise<void> {
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
export async function send({ service, size, advance }: Load, { from, to, inCall, sent }: Sending): Promise<number> {
  let next = from;
  let accepted = 0;
  const deliver = async (events: readonly BusinessEvent[]): Promise<void> => {
    for (const { status } of await service.ingest(events)) if (status === 'accepted') accepted += 1;
  };
  const sender = async (): Promise<void> => {
    while (next < to) {
      const first = next;
      next = Math.min(to, next + inCall);
      const atMs = advance(0.1 + (0.9 * first) / (size.eventCount + size.singleCount));
      const events = Array.from({ length: next - first }, (_, i) => eventOf(first + i, size, atMs));
      await deliver(events);
      if ((first / inCall) % 10 === 0) await deliver(events);
      sent(events.length);
    }
  };
  await Promise.all(Array.from({ length: inCall === 1 ? singleSenderCount : senderCount }, sender));
  return accepted;
}
