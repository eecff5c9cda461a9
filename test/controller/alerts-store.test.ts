// Alerts over restarts of the gateway, with the real store: saved with the state, and gone only once they arrived.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type AlertMessage, AlertSender, alertPace, messagesFor } from '../../src/controller/alerts.ts';
import type { AuditEntry } from '../../src/rollout/audit-entry.ts';
import type { AlertTarget } from '../../src/rollout/policy.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { NewAlert } from '../../src/store/state-stores.ts';
import type { Store } from '../../src/store/store.ts';
import { withDirectory } from '../store/places.ts';
import { stateChange } from '../store/samples.ts';
import { eventually } from '../support/eventually.ts';
import { entryOf, targetOf } from './entries.ts';
import { openReceiver } from './receiver.ts';

type AlertStore = Store<{ state: unknown; entry: unknown; alert: AlertMessage; response: unknown }>;

type Run = { readonly store: AlertStore; readonly sender: AlertSender; readonly failures: string[] };

/** One life of a gateway on the store in a directory. */
async function withRun(
  directory: string,
  targets: readonly AlertTarget[],
  body: (run: Run) => Promise<void>,
  { firstRetryMs = 10 } = {},
): Promise<void> {
  const store: AlertStore = openSqliteStore({ path: join(directory, 'graygate.db') });
  const failures: string[] = [];
  const logger = { warn: (_: object, message: string) => void failures.push(message), error: () => undefined };
  const pace = { ...alertPace, firstRetryMs, longestRetryMs: 2 * firstRetryMs };
  const sender = new AlertSender(store.outbox, { targets: () => targets, signLink: () => 'token', logger, pace });
  try {
    await body({ store, sender, failures });
  } finally {
    await sender.close();
    await store.close();
  }
}

/** What the store is given of a change. */
function alertsOf(targets: readonly AlertTarget[], entry: AuditEntry): NewAlert<AlertMessage>[] {
  return messagesFor(targets, 'shop', entry).map(({ id, queue, message }) => ({
    id,
    queue,
    alert: { format: 1, value: message },
  }));
}

async function save(store: AlertStore, targets: readonly AlertTarget[], entry: AuditEntry): Promise<void> {
  const change = stateChange('shop', entry.revision - 1, { atMs: Date.now(), entries: [{ format: 1, value: entry }] });
  await store.states.save({ ...change, alerts: alertsOf(targets, entry) });
}

test('an alert that could not be delivered before a restart arrives after it, in order and once', async (t) => {
  const receiver = await openReceiver();
  t.after(() => receiver.close());
  receiver.isDead = true;
  const targets = [targetOf(receiver.url)];
  await withDirectory(async (directory) => {
    await withRun(directory, targets, async ({ store, sender, failures }) => {
      await save(store, targets, entryOf({ reason: 'one', revision: 1 }));
      sender.poke();
      await eventually('a failed attempt', () => failures.length > 0);
      await save(store, targets, entryOf({ reason: 'two', revision: 2 }));
      sender.poke();
    });
    receiver.isDead = false;
    await withRun(directory, targets, async ({ store, sender }) => {
      sender.poke();
      await eventually('both alerts', () => receiver.received.length === 2);
      await eventually('an empty outbox', async () => {
        const left = await store.outbox.take({ nowMs: Date.now() + 1e9, leaseMs: 0, limit: 9 });
        return left.length === 0;
      });
    });
    await withRun(directory, targets, async ({ sender }) => {
      sender.poke();
    });
    assert.deepEqual(
      receiver.received.map(({ body }): string => JSON.parse(body).reason),
      ['one', 'two'],
    );
  });
});

test('a change after a restart is told after one from before it, also where that one is due later', async (t) => {
  const receiver = await openReceiver();
  t.after(() => receiver.close());
  receiver.isDead = true;
  const targets = [targetOf(receiver.url)];
  await withDirectory(async (directory) => {
    const failOnce = async ({ store, sender, failures }: Run): Promise<void> => {
      await save(store, targets, entryOf({ reason: 'one', revision: 1 }));
      sender.poke();
      await eventually('a failed attempt', () => failures.length > 0);
    };
    await withRun(directory, targets, failOnce, { firstRetryMs: 3_000 });
    receiver.isDead = false;
    await withRun(directory, targets, async ({ store, sender }) => {
      await save(store, targets, entryOf({ reason: 'two', revision: 2 }));
      sender.poke();
      await eventually('both alerts', () => receiver.received.length === 2);
    });
    assert.deepEqual(
      receiver.received.map(({ body }): string => JSON.parse(body).reason),
      ['one', 'two'],
    );
  });
});

test('a change that is saved a second time is told once', async (t) => {
  const receiver = await openReceiver();
  t.after(() => receiver.close());
  const targets = [targetOf(receiver.url)];
  await withDirectory(async (directory) => {
    await withRun(directory, targets, async ({ store, sender }) => {
      const entry = entryOf({ revision: 1 });
      await save(store, targets, entry);
      await store.states.save({ ...stateChange('shop', 1, { atMs: Date.now() }), alerts: alertsOf(targets, entry) });
      sender.poke();
      await eventually('the alert', () => receiver.received.length > 0);
      await save(store, targets, entryOf({ revision: 3, reason: 'the next' }));
      sender.poke();
      await eventually('the next alert', () => receiver.received.some(({ body }) => body.includes('the next')));
      assert.equal(receiver.received.length, 2);
    });
  });
});
