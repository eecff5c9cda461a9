// Alerts on their way, against receivers that answer, refuse, hang and die. Retries are fast here, otherwise as in the product.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { afterEach, test } from 'node:test';
import { AlertSender, alertPace, messagesFor } from '../../src/controller/alerts.ts';
import type { AuditEntry } from '../../src/rollout/audit-entry.ts';
import type { AlertTarget } from '../../src/rollout/policy.ts';
import { createGate, eventually } from '../support/eventually.ts';
import { entryOf, targetOf, waitingEntry } from './entries.ts';
import { type MemoryOutbox, openMemoryOutbox } from './memory-outbox.ts';
import { openReceiver, type Receiver, withStatus } from './receiver.ts';

/** The time for an attempt is the product's: on a busy machine an answer may be late, and an alert would be sent twice. */
const pace = { ...alertPace, firstRetryMs: 10, longestRetryMs: 40 };

type LogLine = { readonly level: string; readonly fields: object; readonly message: string };

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function receive(): Promise<Receiver> {
  const receiver = await openReceiver();
  cleanUps.push(() => receiver.close());
  return receiver;
}

type Post = {
  readonly outbox: MemoryOutbox;
  readonly log: LogLine[];
  readonly sender: AlertSender;
  targets: AlertTarget[];
  tell(rollout: string, entry: AuditEntry): void;
};

/** A sender with an outbox of its own; `tell` saves a change and pokes, as the gateway does. */
function openPost(targets: AlertTarget[], { clock = Date.now, timeoutMs = pace.timeoutMs } = {}): Post {
  const outbox = openMemoryOutbox();
  const log: LogLine[] = [];
  const note = (level: string) => (fields: object, message: string) => void log.push({ level, fields, message });
  const logger = { warn: note('warn'), error: note('error') };
  const post: Post = {
    outbox,
    log,
    targets,
    sender: new AlertSender(outbox, {
      targets: () => post.targets,
      signLink: () => 'token',
      logger,
      pace: { ...pace, timeoutMs },
      nowMs: clock,
    }),
    tell(rollout, entry) {
      outbox.add(rollout, messagesFor(post.targets, rollout, entry), clock());
      post.sender.poke();
    },
  };
  cleanUps.push(() => post.sender.close());
  return post;
}

function reasonsIn({ received }: Receiver): string[] {
  return received.map(({ body }): string => JSON.parse(body).reason);
}

test('a change is told once to each target that wants to hear of it', () => {
  const targets = [
    targetOf('http://a'),
    targetOf('http://b', { on: ['promoted'] }),
    targetOf('http://a', { format: 'slack' }),
    targetOf('http://a'),
  ];
  const messages = messagesFor(targets, 'shop', entryOf());
  assert.equal(messages.length, 2);
  assert.deepEqual(messagesFor(targets, 'shop', entryOf({ alert: null })), []);
  assert.deepEqual(messagesFor(targets, 'shop', entryOf()), messages, 'the same change has the same ids');
});

test('what is stored tells neither the address nor the secret of a target', () => {
  const target = targetOf('http://hooks.example.com/T/B/key', { secret: 'hidden', approveUrl: 'http://admin' });
  const stored = JSON.stringify(messagesFor([target], 'shop', entryOf()));
  for (const text of ['hooks.example.com', 'key', 'hidden', 'http://admin']) assert.ok(!stored.includes(text), text);
});

test('another change never has the id of one before, even with the same revision', () => {
  const ids = [
    entryOf(),
    entryOf({ revision: 8 }),
    entryOf({ atMs: entryOf().atMs + 1 }),
    entryOf({ kind: 'advance' }),
    entryOf({ release: '2.4.1' }),
  ].flatMap((entry) => [
    ...messagesFor([targetOf('http://a')], 'shop', entry),
    ...messagesFor([targetOf('http://a')], 'item', entry),
  ]);
  assert.equal(new Set(ids.map(({ id }) => id)).size, ids.length);
});

test('an alert arrives as JSON that is signed over its exact bytes, with an id', async () => {
  const receiver = await receive();
  const post = openPost([targetOf(receiver.url, { secret: 'hidden' })]);
  post.tell('shop', entryOf({ reason: 'canary 灰度 fails' }));
  await eventually('the outbox to be empty', () => post.outbox.kept.length === 0);
  const [{ headers, body } = assert.fail('nothing came')] = receiver.received;
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  assert.equal(headers['x-graygate-signature'], `sha256=${createHmac('sha256', 'hidden').update(body).digest('hex')}`);
  assert.equal(headers['x-graygate-delivery'], JSON.parse(body).id);
  assert.equal(JSON.parse(body).reason, 'canary 灰度 fails');
});

test('without a secret there is no signature', async () => {
  const receiver = await receive();
  openPost([targetOf(receiver.url)]).tell('shop', entryOf());
  await eventually('the alert', () => receiver.received.length === 1);
  assert.equal(receiver.received[0]?.headers['x-graygate-signature'], undefined);
});

test('an alert is sent again after 500, 429 and a hanging receiver, with the same id and body, until it arrives', async () => {
  const receiver = await receive();
  const answers = [withStatus(500), withStatus(429, { 'retry-after': '0' }), () => undefined, withStatus(204)];
  receiver.answer = (response, received) => answers.shift()!(response, received);
  const post = openPost([targetOf(receiver.url, { secret: 's' })], { timeoutMs: 1_000 });
  post.tell('shop', entryOf());
  await eventually('the outbox to be empty', () => post.outbox.kept.length === 0);
  assert.equal(receiver.received.length, 4);
  assert.equal(new Set(receiver.received.map(({ body }) => body)).size, 1);
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['x-graygate-delivery'])).size, 1);
  assert.deepEqual(
    post.log.map(({ fields }) => ('detail' in fields ? fields.detail : null)),
    ['the receiver answered 500', 'the receiver answered 429', 'no answer within 1000 ms'],
  );
});

test('the log tells no address of a target that fails', async () => {
  const post = openPost([targetOf('http://127.0.0.1:1/T/B/key', { secret: 'hidden' })]);
  post.tell('shop', entryOf());
  await eventually('a failure', () => post.log.length > 0);
  const text = JSON.stringify(post.log);
  assert.match(text, /ECONNREFUSED/);
  assert.ok(!text.includes('/T/B/key') && !text.includes('hidden'), text);
});

test('a receiver that was dead for a while gets everything, in the order of the changes', async () => {
  const receiver = await receive();
  receiver.isDead = true;
  const post = openPost([targetOf(receiver.url)]);
  for (const [at, reason] of ['one', 'two', 'three'].entries()) {
    post.tell('shop', entryOf({ reason, revision: at + 1 }));
  }
  post.tell('item', entryOf({ reason: 'other', revision: 1 }));
  await eventually('some attempts', () => post.log.length >= 3);
  receiver.isDead = false;
  post.tell('shop', entryOf({ reason: 'four', revision: 9 }));
  await eventually('the outbox to be empty', () => post.outbox.kept.length === 0);
  assert.deepEqual(
    reasonsIn(receiver).filter((reason) => reason !== 'other'),
    ['one', 'two', 'three', 'four'],
  );
  assert.equal(receiver.received.length, 5);
});

test('a later alert of a rollout waits for the one that the receiver cannot take now; other rollouts do not', async () => {
  const receiver = await receive();
  let isIll = true;
  receiver.answer = (response, { body }) =>
    withStatus(isIll && JSON.parse(body).rollout === 'shop' ? 503 : 200)(response, receiver.received[0]!);
  const post = openPost([targetOf(receiver.url)]);
  post.tell('shop', entryOf({ reason: 'one' }));
  await eventually('a failure', () => post.log.length > 0);
  post.tell('shop', entryOf({ reason: 'two', revision: 8 }));
  post.tell('item', entryOf({ reason: 'other' }));
  await eventually('the other rollout', () => reasonsIn(receiver).includes('other'));
  await eventually('more attempts', () => post.log.length > 2);
  assert.ok(!reasonsIn(receiver).includes('two'), 'two must wait for one');
  isIll = false;
  await eventually('the outbox to be empty', () => post.outbox.kept.length === 0);
  assert.deepEqual(
    reasonsIn(receiver)
      .filter((reason) => reason !== 'other')
      .slice(-2),
    ['one', 'two'],
  );
});

test('an alert that the receiver refuses does not hold up the next one', async () => {
  const receiver = await receive();
  receiver.answer = (response, received) =>
    withStatus(JSON.parse(received.body).reason === 'odd' ? 400 : 200)(response, received);
  const post = openPost([targetOf(receiver.url)]);
  post.tell('shop', entryOf({ reason: 'odd' }));
  await eventually('a failure', () => post.log.length > 0);
  post.tell('shop', entryOf({ reason: 'plain', revision: 8 }));
  await eventually('the next alert', () => reasonsIn(receiver).includes('plain'));
  await eventually('the refused one to be tried again', () => reasonsIn(receiver).lastIndexOf('odd') > 0);
});

test('a target that hangs delays no other', async () => {
  const hanging = await receive();
  hanging.answer = () => undefined;
  const well = await receive();
  const post = openPost([targetOf(hanging.url), targetOf(well.url)]);
  const count = 30;
  for (let revision = 1; revision <= count; revision += 1) post.tell('shop', entryOf({ revision }));
  await eventually('everything at the one that is well', () => well.received.length === count);
  assert.ok(hanging.received.length <= 2, `${hanging.received.length} attempts at the one that hangs`);
});

test('a redirect is not followed', async () => {
  const elsewhere = await receive();
  const receiver = await receive();
  receiver.answer = withStatus(307, { location: elsewhere.url });
  const post = openPost([targetOf(receiver.url, { secret: 's' })]);
  post.tell('shop', entryOf());
  await eventually('two attempts', () => receiver.received.length >= 2);
  assert.equal(elsewhere.received.length, 0);
  assert.match(JSON.stringify(post.log[0]), /answered 307, and redirects are not followed/);
});

test('a receiver whose answer never ends has taken the alert', async () => {
  const receiver = await receive();
  receiver.answer = (response) => {
    response.writeHead(200);
    const pour = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      if (!response.destroyed) response.once('drain', pour);
    };
    pour();
  };
  const post = openPost([targetOf(receiver.url)]);
  post.tell('shop', entryOf());
  await eventually('the outbox to be empty', () => post.outbox.kept.length === 0);
  assert.equal(receiver.received.length, 1);
});

test('an alert is tried for a day and then given up, and the next one has its turn', async () => {
  const receiver = await receive();
  receiver.answer = withStatus(500);
  let nowMs = Date.now();
  const post = openPost([targetOf(receiver.url)], { clock: () => nowMs });
  post.tell('shop', entryOf({ reason: 'old' }));
  await eventually('an attempt', () => post.log.length === 1);
  nowMs += pace.giveUpMs - 1;
  post.sender.poke();
  await eventually('an attempt just before a day', () => post.log.length === 2);
  assert.equal(post.outbox.kept.length, 1);
  nowMs += 1;
  post.tell('shop', entryOf({ reason: 'new', revision: 8 }));
  await eventually('giving up', () => post.log.some(({ level }) => level === 'error'));
  await eventually('the next one', () => reasonsIn(receiver).includes('new'));
  assert.deepEqual(
    post.outbox.kept.map(({ message }) => message.entry.reason),
    ['new'],
  );
});

test('an alert whose target the policy has no longer is dropped, with a line in the log', async () => {
  const post = openPost([targetOf('http://127.0.0.1:1/gone')]);
  post.outbox.add('shop', messagesFor(post.targets, 'shop', entryOf()), Date.now());
  post.targets = [];
  post.sender.poke();
  await eventually('the outbox to be empty', () => post.outbox.kept.length === 0);
  assert.deepEqual(
    post.log.map(({ message }) => message),
    ['an alert is dropped: the policy has its target no longer'],
  );
});

test('a target that got another secret meanwhile gets the new signature', async () => {
  const receiver = await receive();
  receiver.answer = withStatus(500);
  const post = openPost([targetOf(receiver.url, { secret: 'old' })]);
  post.tell('shop', entryOf());
  await eventually('a failure', () => post.log.length > 0);
  post.targets = [targetOf(receiver.url, { secret: 'new' })];
  receiver.answer = withStatus(200);
  await eventually('the outbox to be empty', () => post.outbox.kept.length === 0);
  const { body, headers } = receiver.received.at(-1)!;
  assert.equal(headers['x-graygate-signature'], `sha256=${createHmac('sha256', 'new').update(body).digest('hex')}`);
});

test('an alert that arrived while the store was down is not sent again by this process', async () => {
  const receiver = await receive();
  const post = openPost([targetOf(receiver.url)]);
  receiver.answer = (response, received) => {
    post.outbox.isDown = receiver.received.length === 1;
    withStatus(200)(response, received);
  };
  post.tell('shop', entryOf());
  await eventually('the alert', () => receiver.received.length === 1);
  await eventually('the store to refuse to forget it', () => post.outbox.refusedCount > 0);
  post.outbox.isDown = false;
  post.outbox.kept[0]!.dueMs = 0;
  await eventually('the outbox to be empty', () => {
    post.sender.poke();
    return post.outbox.kept.length === 0;
  });
  assert.equal(receiver.received.length, 1);
});

type Hung = { readonly receiver: Receiver; readonly outbox: MemoryOutbox; readonly sender: AlertSender };

/** A sender in the middle of the first of two alerts, to a receiver that hangs. */
async function hang(answer: Receiver['answer'] = () => undefined): Promise<Hung> {
  const receiver = await receive();
  receiver.answer = answer;
  const outbox = openMemoryOutbox();
  const targets = [targetOf(receiver.url)];
  const logger = { warn: () => undefined, error: () => undefined };
  const sender = new AlertSender(outbox, { targets: () => targets, signLink: () => 'token', logger });
  outbox.add('shop', messagesFor(targets, 'shop', entryOf({ reason: 'first' })), Date.now());
  outbox.add('shop', messagesFor(targets, 'shop', waitingEntry({ reason: 'second', revision: 8 })), Date.now());
  sender.poke();
  await eventually('the attempt', () => receiver.received.length === 1);
  return { receiver, outbox, sender };
}

test('closing ends an attempt that hangs and leaves its alert due at once', async () => {
  const { outbox, sender } = await hang();
  await sender.close();
  assert.equal(outbox.kept.length, 2);
  for (const { dueMs } of outbox.kept) assert.ok(dueMs <= Date.now(), 'due at once');
});

test('closing waits a moment for the attempt under way, and begins no other', async () => {
  const late = createGate();
  const { receiver, outbox, sender } = await hang((response) => void late.opened.then(() => response.end()));
  const closed = sender.close();
  late.open();
  await closed;
  assert.equal(receiver.received.length, 1);
  assert.deepEqual(
    outbox.kept.map(({ message }) => message.entry.reason),
    ['second'],
  );
  assert.ok(outbox.kept[0]!.dueMs <= Date.now(), 'due at once');
});
