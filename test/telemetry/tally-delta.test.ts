// What several processes counted, added up from what they hand on, is what one process would have counted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { takeDelta, type Gauges, type TallyDelta } from '../../src/telemetry/tally-delta.ts';
import { TallyBook } from '../../src/telemetry/tally-book.ts';
import { TallyShare } from '../../src/telemetry/tally-share.ts';
import { Tally } from '../../src/telemetry/tally.ts';
import type { FaultKind } from '../../src/rollout/outcome.ts';
import { policyOf, rolloutOf } from '../support/policies.ts';
import { outcomeOf } from './requests.ts';

const shop = rolloutOf({
  versions: { stable: { servers: ['http://127.0.0.1:1'] }, canary: { servers: ['http://127.0.0.1:2'] } },
});
const policy = policyOf({ rollouts: [shop] });

type Step = (tally: Tally) => void;

const kinds: readonly FaultKind[] = ['connect', 'reset', 'timeout', 'protocol'];
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step>(
    (tally) => tally.entered(),
    (tally) => tally.left(),
    (tally) => tally.streamOpened(),
    (tally) => tally.streamClosed(),
    (tally) => tally.awaited(),
    (tally) => tally.unawaited(),
    (tally) => tally.answered(),
    (tally) => tally.streamOpened(),
    (tally) => tally.streamClosed(),
    (tally) => tally.unserved(),
  ),
  fc.constantFrom(...kinds).map(
    (kind): Step =>
      (tally) =>
        tally.faulted('http://127.0.0.1:2', kind),
  ),
  fc.constantFrom(...kinds).map(
    (kind): Step =>
      (tally) =>
        tally.retried(kind),
  ),
  fc.constantFrom(...kinds).map(
    (kind): Step =>
      (tally) =>
        tally.fellBack(kind),
  ),
  // Seconds that add up exactly in any order.
  fc.record({ status: fc.constantFrom(200, 404, 502), durationMs: fc.constantFrom(62.5, 500, 64_000) }).map(
    (sketch): Step =>
      (tally) =>
        tally.finished(outcomeOf(shop, 1, sketch)),
  ),
);

/** A tally without what is only of use while it is handed on. */
function countsIn(tally: Tally): unknown {
  const { pulse: _, ...counts } = tally;
  return structuredClone(counts);
}

/** A worker's own tally and its part of the sum. */
class Reporter {
  readonly own = new Tally('shop', 'canary');
  readonly #share: TallyShare;
  #last: Gauges | undefined;

  constructor(book: TallyBook) {
    this.#share = new TallyShare(book);
  }

  report(): TallyDelta | null {
    const delta = takeDelta(this.own, this.#last);
    if (delta === null) return null;
    this.#last = delta.gauges;
    this.#share.add(structuredClone(delta));
    return delta;
  }

  die(): void {
    this.#share.end();
  }
}

function openBook(): TallyBook {
  const book = new TallyBook();
  book.follow(policy);
  return book;
}

test('sums of what workers hand on are what one tally would have', () => {
  const actions = fc.array(fc.record({ worker: fc.nat(2), step: steps, isReported: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(actions, (all) => {
      const book = openBook();
      const reporters = [new Reporter(book), new Reporter(book), new Reporter(book)];
      const alone = new Tally('shop', 'canary');
      for (const { worker, step, isReported } of all) {
        step(alone);
        step(reporters[worker]!.own);
        if (isReported) reporters[worker]!.report();
      }
      for (const reporter of reporters) reporter.report();
      assert.deepEqual(countsIn(book.probe('shop', 'canary')), countsIn(alone));
    }),
    { seed: 7, numRuns: 300 },
  );
});

test('a report after every step gives the same pulse as one tally', () => {
  const workers = fc.array(fc.record({ worker: fc.nat(1), step: steps }), { maxLength: 40 });
  fc.assert(
    fc.property(workers, (all) => {
      const book = openBook();
      const reporters = [new Reporter(book), new Reporter(book)];
      const alone = new Tally('shop', 'canary');
      for (const { worker, step } of all) {
        // More answers than requests cannot be.
        if (alone.awaitedCount <= 0 && step.toString().includes('unawaited')) continue;
        step(alone);
        step(reporters[worker]!.own);
        reporters[worker]!.report();
      }
      const { refusedSinceMs, unansweredSinceMs } = book.probe('shop', 'canary').pulse;
      const isDown = [refusedSinceMs !== null, unansweredSinceMs !== null];
      assert.deepEqual(isDown, [alone.pulse.refusedSinceMs !== null, alone.pulse.unansweredSinceMs !== null]);
    }),
    { seed: 7, numRuns: 300 },
  );
});

test('a version is refused only as long as nobody is answered', () => {
  const book = openBook();
  const [first, second] = [new Reporter(book), new Reporter(book)];
  const { pulse } = book.probe('shop', 'canary');
  first.own.faulted('s', 'connect');
  first.report();
  const since = pulse.refusedSinceMs;
  assert.notEqual(since, null);
  first.own.faulted('s', 'connect');
  first.report();
  assert.equal(pulse.refusedSinceMs, since);
  second.own.answered();
  second.report();
  assert.equal(pulse.refusedSinceMs, null);
  first.own.faulted('s', 'connect');
  first.report();
  assert.notEqual(pulse.refusedSinceMs, null);
});

test('what was under way in a worker that died is forgotten, what it had counted stays', () => {
  const book = openBook();
  const [first, second] = [new Reporter(book), new Reporter(book)];
  for (const { own } of [first, second]) {
    own.entered();
    own.awaited();
    own.finished(outcomeOf(shop, 1, {}));
  }
  first.report();
  second.report();
  first.die();
  const { inFlightCount, awaitedCount, durationCount, pulse } = book.probe('shop', 'canary');
  assert.deepEqual([inFlightCount, awaitedCount, durationCount], [1, 1, 2]);
  assert.notEqual(pulse.unansweredSinceMs, null);
  second.die();
  assert.equal(book.probe('shop', 'canary').inFlightCount, 0);
  assert.equal(pulse.unansweredSinceMs, null);
});

test('nothing is handed on where nothing happened', () => {
  const reporter = new Reporter(openBook());
  reporter.report();
  assert.equal(reporter.report(), null);
  reporter.own.entered();
  assert.notEqual(reporter.report(), null);
  assert.equal(reporter.report(), null);
});

test('what is said late of a version that the policy no longer names leaves no series behind', () => {
  const book = openBook();
  const reporter = new Reporter(book);
  book.follow(policyOf({ rollouts: [] }));
  reporter.own.entered();
  reporter.report();
  assert.deepEqual(book.all(), [book.unmatched]);
});
