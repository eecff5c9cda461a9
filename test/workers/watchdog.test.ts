// What rounds without an answer say of a worker.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Pulse, watchRound } from '../../src/workers/watchdog.ts';

/** A worker that answers only when a test says so. */
function watched({ hasBegun = true } = {}) {
  const pulse = new Pulse();
  if (hasBegun) pulse.begun();
  const happened: string[] = [];
  const worker = {
    index: 2,
    pid: 42,
    get pulse() {
      return pulse.state;
    },
    ask: () => void (pulse.nextRound() && happened.push('asked')),
    kill: () => void happened.push('killed'),
  };
  const logger = {
    warn: (fields: object) => void happened.push(`warned ${JSON.stringify(fields)}`),
    error: (fields: object) => void happened.push(`said ${JSON.stringify(fields)}`),
  };
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i += 1) watchRound(worker, logger);
  };
  return { pulse, happened, rounds };
}

suite('a worker that serves', () => {
  test('is well as long as it answers, and is asked in every round', () => {
    const { pulse, happened, rounds } = watched();
    for (let i = 0; i < 100; i += 1) {
      rounds(1);
      pulse.heard();
    }
    assert.deepEqual(
      happened,
      Array.from({ length: 100 }, () => 'asked'),
    );
  });

  test('is late after four rounds without an answer and lost after thirty; it is told apart once each, and asked once', () => {
    const { pulse, happened, rounds } = watched();
    rounds(4);
    assert.equal(pulse.state, 'well');
    rounds(1);
    assert.equal(pulse.state, 'late');
    rounds(25);
    assert.equal(pulse.state, 'late');
    rounds(10);
    assert.equal(pulse.state, 'lost');
    const fields = '{"worker":2,"workerPid":42}';
    assert.deepEqual(happened, ['asked', `warned ${fields}`, `said ${fields}`, 'killed']);
  });

  test('that answers late again and again is never lost', () => {
    const { pulse, happened, rounds } = watched();
    for (let i = 0; i < 20; i += 1) {
      rounds(30);
      assert.equal(pulse.state, 'late');
      pulse.heard();
      assert.equal(pulse.state, 'well');
    }
    assert.ok(!happened.includes('killed'));
  });
});

suite('a worker that does not serve yet', () => {
  test('is not late, and lost after 240 rounds even when it answers', () => {
    const { pulse, happened, rounds } = watched({ hasBegun: false });
    for (let i = 0; i < 240; i += 1) {
      rounds(1);
      assert.equal(pulse.state, 'well');
      pulse.heard();
    }
    rounds(1);
    assert.deepEqual(happened.slice(-1), ['killed']);
  });

  test('has all the time to answer once it serves', () => {
    const { pulse, rounds } = watched({ hasBegun: false });
    rounds(239);
    pulse.begun();
    rounds(30);
    assert.equal(pulse.state, 'late');
  });
});
