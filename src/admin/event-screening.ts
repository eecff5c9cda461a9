// Which of the events that a server sends can be taken, and why the others cannot. Pure but for the policy that it is given.
import type { BusinessEvent, EventAnswer } from '../rollout/experiment.ts';
import type { RolloutTable } from '../rollout/matching.ts';
import type { Rollout } from '../rollout/policy.ts';
import { eventShape, type EventsAnswer, type SentEvent } from './contract-events.ts';

/** A clock that is wrong by more than this dates events into the future. */
const mostAheadMs = 5 * 60_000;
/** Whether an event was counted before is known for so long. */
const mostBehindMs = 7 * 86_400_000;

/** `index`: of each event in the body. */
export type Screened = {
  readonly events: readonly { readonly index: number; readonly event: BusinessEvent }[];
  readonly rejected: EventsAnswer['rejected'];
};

/** Looks at each by itself: one that is wrong does not hold up the others. */
export function screenEvents(body: readonly unknown[], table: RolloutTable, nowMs: number): Screened {
  const rollouts = new Map(table.rollouts.map(({ rollout }) => [rollout.name, rollout]));
  const read = body.map((item, index) => ({ index, ...readEvent(item, rollouts, nowMs) }));
  return {
    events: read.flatMap(({ index, event }) => (event === null ? [] : [{ index, event }])),
    rejected: read.flatMap(({ index, id, reason }) => (reason === null ? [] : [{ index, id, reason }])),
  };
}

/** What became of all of them, in the order of the body; `answers`: to the events that could be taken. */
export function answerTo({ events, rejected }: Screened, answers: readonly EventAnswer[]): EventsAnswer {
  const refused = answers.flatMap((answer, position) => {
    if (answer.status !== 'rejected') return [];
    return [{ index: events[position]!.index, id: answer.id, reason: answer.reason }];
  });
  const countOf = (status: EventAnswer['status']): number =>
    answers.filter((answer) => answer.status === status).length;
  return {
    accepted: countOf('accepted'),
    duplicates: countOf('duplicate'),
    rejected: [...rejected, ...refused].toSorted((a, b) => a.index - b.index),
  };
}

type ReadEvent =
  | { readonly id: string; readonly event: BusinessEvent; readonly reason: null }
  | { readonly id: string | null; readonly event: null; readonly reason: string };

function readEvent(item: unknown, rollouts: ReadonlyMap<string, Rollout>, nowMs: number): ReadEvent {
  const shaped = eventShape.safeParse(item);
  if (!shaped.success) {
    const { path, message } = shaped.error.issues[0]!;
    const reason = `${path.length === 0 ? 'event' : path.join('.')}: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
    return { id: idIn(item), event: null, reason };
  }
  const sent = shaped.data;
  const rollout = rollouts.get(sent.rollout);
  const atMs = sent.at ?? nowMs;
  const reason = faultOf(sent, rollout, atMs - nowMs);
  if (reason !== null) return { id: sent.id, event: null, reason };
  const user = Buffer.from(sent.user, 'utf8').toString('latin1');
  const value = sent.value ?? usualValue(sent, rollout!);
  return { id: sent.id, event: { id: sent.id, rollout: sent.rollout, user, event: sent.event, value, atMs }, reason };
}

function faultOf({ event, rollout: name }: SentEvent, rollout: Rollout | undefined, aheadMs: number): string | null {
  if (rollout === undefined) return `there is no rollout "${name}"`;
  if (!rollout.events.some((rule) => rule.name === event)) return `the rollout "${name}" has no event "${event}"`;
  if (aheadMs > mostAheadMs)
    return `at: is ${Math.round(aheadMs / 1_000)} s ahead of the clock, expected 300 s at most`;
  return aheadMs < -mostBehindMs ? 'at: is more than 7 days ago' : null;
}

function usualValue({ event }: SentEvent, { events }: Rollout): number {
  const source = events.find(({ name }) => name === event)?.value;
  return source?.kind === 'constant' ? source.value : 0;
}

function idIn(item: unknown): string | null {
  if (typeof item !== 'object' || item === null || !('id' in item)) return null;
  return typeof item.id === 'string' ? item.id.slice(0, 200) : null;
}
