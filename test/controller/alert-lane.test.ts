// What a lane makes of a target's answers, with a clock that a test sets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertLane, type DueAlert } from '../../src/controller/alert-lane.ts';
import { alertPace } from '../../src/controller/alerts.ts';
import { entryOf, targetOf } from './entries.ts';
import { openReceiver, withStatus } from './receiver.ts';

type Clock = { nowMs: number };

/** A lane to a receiver. Of the alerts that it gave back, by id: `due`: when they are due again, `asides`: whether they step aside. */
async function openLane(t: { after(fn: () => Promise<void>): void }, clock: Clock) {
  const receiver = await openReceiver();
  t.after(() => receiver.close());
  const due = new Map<string, number | null>();
  const asides = new Map<string, boolean>();
  const lane = new AlertLane({
    outbox: {
      delivered: () => Promise.resolve(),
      failed: async ({ id, stepsAside }) => void asides.set(id, stepsAside),
    },
    logger: { warn: () => undefined, error: () => undefined },
    pace: alertPace,
    target: () => targetOf(receiver.url),
    signLink: () => 'token',
    nowMs: () => clock.nowMs,
    done: (id, dueMs) => void due.set(id, dueMs),
    isClosing: () => false,
    stop: new AbortController().signal,
  });
  const arrived = (): string[] => receiver.received.map(({ body }): string => JSON.parse(body).reason);
  return { receiver, lane, due, asides, arrived };
}

function alertOf(id: string, rollout = 'shop'): DueAlert {
  const value = { target: 'key', entry: entryOf({ reason: id }) };
  return { id, rollout, createdMs: 0, attempt: 1, alert: { value } };
}

test('only an alert that the receiver refuses steps aside', async (t) => {
  const { receiver, lane, asides } = await openLane(t, { nowMs: 0 });
  for (const status of [503, 429, 400]) {
    receiver.answer = withStatus(status);
    lane.add(alertOf(`${status}`));
    await lane.idle();
  }
  receiver.answer = (response) => void response.destroy();
  lane.add(alertOf('dead'));
  await lane.idle();
  assert.deepEqual(
    [...asides],
    [
      ['503', false],
      ['429', false],
      ['400', true],
      ['dead', false],
    ],
  );
});

test('a target that did not answer is left alone until the alert is due again, also by other rollouts', async (t) => {
  const clock = { nowMs: 0 };
  const { receiver, lane, due, arrived } = await openLane(t, clock);
  receiver.answer = (response) => void response.destroy();
  lane.add(alertOf('one'));
  await lane.idle();
  const dueMs = due.get('one')!;
  receiver.answer = withStatus(200);
  clock.nowMs = dueMs - 1;
  lane.add(alertOf('other', 'item'));
  await lane.idle();
  assert.deepEqual(arrived(), ['one']);
  assert.equal(due.get('other'), dueMs);
  clock.nowMs = dueMs;
  lane.add(alertOf('other', 'item'));
  await lane.idle();
  assert.deepEqual(arrived(), ['one', 'other']);
});
