// The order of one target's alerts, with a clock that a test sets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertLane, type TakenAlert } from '../../src/controller/alert-lane.ts';
import { alertPace } from '../../src/controller/alerts.ts';
import { entryOf, targetOf } from './entries.ts';
import { openReceiver, withStatus } from './receiver.ts';

type Clock = { nowMs: number };

/** A lane to a receiver; `due`: when the alerts that it gave back are due again, by id. */
async function openLane(t: { after(fn: () => Promise<void>): void }, clock: Clock) {
  const receiver = await openReceiver();
  t.after(() => receiver.close());
  const due = new Map<string, number | null>();
  const lane = new AlertLane({
    outbox: { delivered: () => Promise.resolve(), failed: () => Promise.resolve() },
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
  return { receiver, lane, due, arrived };
}

function alertOf(id: string, takenMs: number, rollout = 'shop'): TakenAlert {
  const value = { target: 'key', entry: entryOf({ reason: id }) };
  return { id, rollout, createdMs: 0, attempt: 1, alert: { value }, takenMs };
}

test('an alert that was taken before an earlier one was due again does not overtake it, however late it has its turn', async (t) => {
  const clock = { nowMs: 0 };
  const { receiver, lane, due, arrived } = await openLane(t, clock);
  receiver.answer = withStatus(503);
  lane.add(alertOf('one', 0));
  await lane.idle();
  const dueMs = due.get('one')!;
  clock.nowMs = dueMs + 1_000;
  receiver.answer = withStatus(200);
  lane.add(alertOf('two', dueMs - 1));
  lane.add(alertOf('other', dueMs - 1, 'item'));
  await lane.idle();
  assert.deepEqual(arrived(), ['one', 'other']);
  assert.deepEqual(
    [...due],
    [
      ['one', dueMs],
      ['two', dueMs],
      ['other', null],
    ],
  );
  lane.add(alertOf('one', clock.nowMs));
  lane.add(alertOf('two', clock.nowMs));
  await lane.idle();
  assert.deepEqual(arrived(), ['one', 'other', 'one', 'two']);
});

test('a target that did not answer gets nothing that was taken before it is tried again', async (t) => {
  const clock = { nowMs: 0 };
  const { receiver, lane, due, arrived } = await openLane(t, clock);
  receiver.answer = (response) => void response.destroy();
  lane.add(alertOf('one', 0));
  await lane.idle();
  const dueMs = due.get('one')!;
  receiver.answer = withStatus(200);
  clock.nowMs = dueMs;
  lane.add(alertOf('other', 0, 'item'));
  await lane.idle();
  assert.deepEqual(arrived(), ['one']);
  assert.equal(due.get('other'), dueMs);
});
