// Reads the events that a server sends: those that have the form of one go on, to be counted or refused, and the others are answered
// with what is wrong. Whether there is such an event, and at such a time, is not known here.
import type { BusinessEvent, EventAnswer } from '../rollout/experiment.ts';
import type { RolloutTable } from '../rollout/matching.ts';
import type { Rollout } from '../rollout/policy.ts';
import { eventShape, type EventsAnswer, type SentEvent } from './contract-events.ts';

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
    const reason = path.length === 0 ? message : `${path.join('.')}: ${message}`;
    return { id: idIn(item), event: null, reason };
  }
  const sent = shaped.data;
  const { id, rollout, event, value = usualValue(sent, rollouts.get(rollout)), at: atMs = nowMs } = sent;
  if (value === null)
    return { id, event: null, reason: `value: expected a number; the policy has none for "${event}"` };
  const user = Buffer.from(sent.user, 'utf8').toString('latin1');
  return { id, event: { id, rollout, user, event, value, atMs }, reason: null };
}

/** Null: only requests would have one. Of an event that there is not: anything, since it is refused. */
function usualValue({ event }: SentEvent, rollout: Rollout | undefined): number | null {
  const source = rollout?.events.find(({ name }) => name === event)?.value;
  if (source === undefined) return 0;
  return source.kind === 'constant' ? source.value : null;
}

function idIn(item: unknown): string | null {
  if (typeof item !== 'object' || item === null || !('id' in item)) return null;
  return typeof item.id === 'string' ? item.id.slice(0, 200) : null;
}
