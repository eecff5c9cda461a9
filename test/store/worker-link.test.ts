// The link to a thread that answers, is silent, dies, or has too much to do: every question settles.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkerLink, type WorkerLinkOptions } from '../../src/store/worker-link.ts';

/** A thread that hears `echo`, `silence` and `die`, as its program. */
const program = `
  import { parentPort, workerData } from 'node:worker_threads';
  parentPort.on('message', ({ id, verb, input }) => {
    if (verb === 'die') throw new Error('the thread of the test died');
    if (verb !== 'silence') parentPort.postMessage({ id, result: { ok: true, output: [workerData.path, input] } });
    if (verb === 'close') parentPort.close();
  });
`;

async function withLink(options: Partial<WorkerLinkOptions>, body: (link: WorkerLink) => Promise<void>): Promise<void> {
  const link = new WorkerLink({
    url: new URL(`data:text/javascript,${encodeURIComponent(program)}`),
    settings: { path: 'the path', busyTimeoutMs: 1 },
    maxWaitingCount: 10,
    answerWithinMs: 5_000,
    ...options,
  });
  try {
    await body(link);
  } finally {
    await link.close();
  }
}

const question = (verb: string, input: unknown = null) => ({ part: 'decisions', verb, input }) as const;

test('each question gets its own answer', async () => {
  await withLink({}, async (link) => {
    link.start();
    const answers = await Promise.all([1, 2, 3].map(async (n) => link.ask(question('echo', n))));
    assert.deepEqual(
      answers,
      [1, 2, 3].map((n) => ({ kind: 'done', output: ['the path', n] })),
    );
  });
});

test('a link whose thread was not started, or that was closed, refuses at once', async () => {
  await withLink({}, async (link) => {
    assert.deepEqual(await link.ask(question('echo')), {
      kind: 'refused',
      failure: { code: 'store-unavailable', message: 'the store has not been opened' },
    });
    link.start();
    await link.close();
    link.start();
    assert.deepEqual(await link.ask(question('echo')), {
      kind: 'refused',
      failure: { code: 'store-unavailable', message: 'the store is closed' },
    });
  });
});

test('a silent thread leaves a question unanswered after its time, and the next can still be answered', async () => {
  await withLink({ answerWithinMs: 1_000 }, async (link) => {
    link.start();
    while ((await link.ask(question('echo'))).kind !== 'done');
    assert.deepEqual(await link.ask(question('silence')), {
      kind: 'unanswered',
      failure: {
        code: 'store-unavailable',
        message: 'the store did not answer within 1000 ms; what was asked may still be done',
      },
    });
    assert.equal((await link.ask(question('echo'))).kind, 'done');
  });
});

test('no more questions wait than allowed, also those whose time is over', async () => {
  await withLink({ maxWaitingCount: 2, answerWithinMs: 50 }, async (link) => {
    link.start();
    const silent = await Promise.all([link.ask(question('silence')), link.ask(question('silence'))]);
    assert.deepEqual(
      silent.map(({ kind }) => kind),
      ['unanswered', 'unanswered'],
    );
    assert.deepEqual(await link.ask(question('echo')), {
      kind: 'refused',
      failure: { code: 'store-unavailable', message: 'the store is too slow: 2 questions wait already' },
    });
  });
});

test('a thread that dies leaves its questions unanswered with the reason, and can be started again', async () => {
  await withLink({}, async (link) => {
    link.start();
    const failure = { code: 'store-unavailable', message: "the store's thread failed: the thread of the test died" };
    const answers = await Promise.all([link.ask(question('silence')), link.ask(question('die'))]);
    assert.deepEqual(answers, [
      { kind: 'unanswered', failure },
      { kind: 'unanswered', failure },
    ]);
    assert.deepEqual(await link.ask(question('echo')), { kind: 'refused', failure });
    link.start();
    assert.equal((await link.ask(question('echo'))).kind, 'done');
  });
});
