// The ledger: what is added up over slices, what begins anew with a stage or a release, and what a restart keeps.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { emptyArm, type StratumArm } from '../../src/rollout/figures.ts';
import { Ledger, type LedgerSnapshot } from '../../src/rollout/ledger.ts';
import { defaultAnalysis, type Check, type Staging } from '../../src/rollout/staging.ts';
import type { Verdict } from '../../src/rollout/verdict.ts';
import { observe } from '../../src/stats/log-histogram.ts';
import { type Random, randomFrom } from '../stats/random.ts';
import { stagingOf } from '../support/rollout-machine.ts';

const [errors, latency] = defaultAnalysis.checks;
const staging = policyWith(errors!, latency!);
/** A fixed split among three candidates, of which one gets nobody. */
const several = fixedOf(['b', 'c', 'd'], { b: 20, c: 20, d: 0 });

function policyWith(...checks: Check[]): Staging {
  return stagingOf({}, { checks });
}

function fixedOf(candidates: [string, ...string[]], split: Record<string, number>): Staging {
  return stagingOf({ candidates, split, stages: [], bake: null }, { checks: [errors!, latency!] });
}

type Rates = { readonly failures: number; readonly slower?: number };

/** A second of one version: so many requests, failing at a rate, some 60 ms long. */
function armOf(count: number, { failures, slower = 1 }: Rates, random: Random): StratumArm {
  const arm = emptyArm();
  arm.exposedCount = count;
  arm.failedCount = random.binomial(count, failures);
  for (let i = 0; i < count; i += 1) observe(arm.latencies, slower * 60 * Math.exp(0.6 * random.normal()));
  return arm;
}

/** Seconds of 190 baseline and 10 candidate requests. */
function feed(
  ledger: Ledger,
  { seconds, fromMs = 0, seed = 1, ...rates }: Rates & { seconds: number; fromMs?: number; seed?: number },
): void {
  const random = randomFrom(seed);
  for (let i = 1; i <= seconds; i += 1) {
    const arms = [armOf(190, { failures: 0.001 }, random), armOf(10, rates, random)] as const;
    ledger.addStratum(arms, fromMs + i * 1_000);
  }
}

/** A ledger with evidence of everything. */
function fed(): Ledger {
  const ledger = new Ledger(staging, 0);
  feed(ledger, { seconds: 30, failures: 0.05 });
  ledger.addUsers([100, 900], [90, 10]);
  return ledger;
}

function answerOf(ledger: Ledger, check: string): string | undefined {
  return ledger.verdicts().find((verdict) => verdict.check === check)?.answer;
}

function harmOf(ledger: Ledger, check: string): number {
  return logsOf(ledger.verdicts(), check).logHarm;
}

function logsOf(verdicts: readonly Verdict[], check: string): { logHarm: number; logProof: number } {
  const evidence = verdicts.find((verdict) => verdict.check === check)?.evidence;
  assert.ok(evidence !== undefined && evidence.kind !== 'source');
  return evidence;
}

/** Requests of the stage that count as evidence, the baseline's first. */
function requestsIn(ledger: Ledger): readonly number[] {
  const { baselineCount, candidateCount } = ledger.snapshot().stageCounts;
  return [baselineCount, candidateCount];
}

function overJson(snapshot: LedgerSnapshot): LedgerSnapshot {
  return JSON.parse(JSON.stringify(snapshot));
}

test('before anything came there is not enough data for any check', () => {
  const ledger = new Ledger(staging, 0);
  assert.deepEqual(
    ledger.verdicts().map(({ check, answer }) => [check, answer]),
    [
      ['error-rate', 'not-enough-data'],
      ['latency', 'not-enough-data'],
    ],
  );
});

test('verdicts stand in the order of the policy, without those of outside sources', () => {
  const hook = {
    name: 'smoke',
    role: 'guard',
    metric: 'webhook',
    url: 'http://x',
    everyMs: 1,
    timeoutMs: 1,
    failures: 1,
  } as const;
  const ledger = new Ledger(policyWith(latency!, hook, { ...errors!, name: 'mine' }), 0);
  assert.deepEqual(
    ledger.verdicts().map(({ check }) => check),
    ['latency', 'mine'],
  );
});

test('a candidate that fails is found, with its numbers in the sentence', () => {
  const ledger = new Ledger(staging, 0);
  feed(ledger, { seconds: 20, failures: 0.3 });
  const verdict = ledger.verdicts()[0];
  assert.equal(verdict?.answer, 'fail');
  assert.match(verdict?.sentence ?? '', /^canary fails \d+(\.\d)? % of requests, stable 0\.\d+ %/);
});

test('a candidate that is slow is found', () => {
  const ledger = new Ledger(staging, 0);
  feed(ledger, { seconds: 60, failures: 0.001, slower: 2 });
  assert.equal(answerOf(ledger, 'latency'), 'fail');
  assert.equal(answerOf(ledger, 'error-rate'), 'not-enough-data');
});

test('a healthy candidate passes every check in the end', () => {
  const ledger = new Ledger(
    policyWith({ ...errors!, metric: 'error-rate', prove: { ratio: 1.5, plus: 0.01 } } as Check, latency!),
    0,
  );
  feed(ledger, { seconds: 1_500, failures: 0.001 });
  assert.deepEqual(
    ledger.verdicts().map(({ answer }) => answer),
    ['pass', 'pass'],
  );
});

suite('what begins anew', () => {
  test('with a stage: proof and the figures of the stage, not what guards know nor who was new', () => {
    const ledger = fed();
    const before = ledger.verdicts();
    ledger.anew('stage', 30_000);
    assert.deepEqual(requestsIn(ledger), [0, 0]);
    for (const check of ['error-rate', 'latency']) {
      assert.equal(logsOf(ledger.verdicts(), check).logProof, 0);
      assert.equal(logsOf(ledger.verdicts(), check).logHarm, logsOf(before, check).logHarm);
    }
    assert.equal(ledger.sampleRatio().answer, 'mismatch');
  });

  test('with the guards: what they know, too', () => {
    const ledger = fed();
    ledger.anew('guards', 30_000);
    for (const check of ['error-rate', 'latency']) assert.ok(Math.abs(harmOf(ledger, check)) < 1e-9);
    assert.equal(ledger.sampleRatio().answer, 'mismatch');
  });

  test('with a release: everything', () => {
    const ledger = fed();
    ledger.anew('release', 30_000);
    const fresh = new Ledger(staging, 30_000);
    assert.deepEqual(ledger.snapshot(), fresh.snapshot());
    assert.deepEqual(ledger.sampleRatio(), fresh.sampleRatio());
  });
});

test('harm that begins late is found: guards restart by the clock', () => {
  const late = new Ledger(staging, 0);
  feed(late, { seconds: 1_200, failures: 0.001 });
  assert.ok(late.snapshot().errors[0]!.guard.restartCount >= 18, 'once a minute');
  feed(late, { seconds: 40, fromMs: 1_200_000, failures: 0.2, seed: 2 });
  assert.equal(answerOf(late, 'error-rate'), 'fail');
});

test('a check that stays as it is keeps what it has gathered when the policy changes; another begins anew', () => {
  const ledger = new Ledger(staging, 0);
  feed(ledger, { seconds: 30, failures: 0.05 });
  const harm = harmOf(ledger, 'error-rate');
  const changed = { ...latency!, quantiles: [0.9] } as unknown as Check;
  ledger.follow(policyWith(structuredClone(errors!), changed));
  assert.equal(logsOf(ledger.verdicts(), 'error-rate').logHarm, harm);
  assert.equal(logsOf(ledger.verdicts(), 'latency').logProof, 0);
  assert.equal(requestsIn(ledger)[1], 300, 'the stage goes on');
});

suite('a restart', () => {
  test('in the middle changes no verdict from then on, whenever it comes', () => {
    const parts = fc.record({
      before: fc.integer({ min: 0, max: 130 }),
      after: fc.integer({ min: 0, max: 30 }),
      failures: fc.constantFrom(0, 0.01, 0.3),
    });
    fc.assert(
      fc.property(parts, ({ before, after, failures }) => {
        const ledger = new Ledger(staging, 0);
        feed(ledger, { seconds: before, failures });
        ledger.addUsers([90, 10], [90, 10]);
        const restored = new Ledger(staging, 5_000_000, overJson(ledger.snapshot()));
        assert.deepEqual(restored.verdicts(), ledger.verdicts());
        assert.deepEqual(restored.sampleRatio(), ledger.sampleRatio());
        for (const each of [ledger, restored])
          feed(each, { seconds: after, fromMs: before * 1_000, failures, seed: 9 });
        assert.deepEqual(restored.verdicts(), ledger.verdicts());
        assert.deepEqual(requestsIn(restored), requestsIn(ledger));
        assert.deepEqual(restored.snapshot(), ledger.snapshot());
      }),
      { seed: 3, numRuns: 8 },
    );
  });

  test('with another definition of a check drops what that check has gathered', () => {
    const ledger = new Ledger(staging, 0);
    feed(ledger, { seconds: 30, failures: 0.3 });
    const tolerant = { ...errors!, tolerate: { ratio: 100, plus: 0 } } as Check;
    const restored = new Ledger(policyWith(tolerant, latency!), 0, overJson(ledger.snapshot()));
    assert.equal(harmOf(restored, 'error-rate'), 0);
    assert.equal(harmOf(restored, 'latency'), harmOf(ledger, 'latency'));
  });
});

suite('the sample ratio', () => {
  test('is even where users fall as the split says, over epochs of different splits', () => {
    const ledger = new Ledger(staging, 0);
    for (let i = 0; i < 50; i += 1) ledger.addUsers([990, 10], [99, 1]);
    for (let i = 0; i < 50; i += 1) ledger.addUsers([950, 50], [95, 5]);
    const { answer, ...numbers } = ledger.sampleRatio();
    assert.equal(answer, 'ok');
    assert.deepEqual(
      {
        users: numbers.users,
        candidateUsers: numbers.candidateUsers,
        expected: Math.round(numbers.expectedCandidateUsers),
      },
      { users: 100_000, candidateUsers: 3_000, expected: 3_000 },
    );
  });

  test('once it is off it stays off, over a restart too, until a release begins', () => {
    const ledger = new Ledger(staging, 0);
    ledger.addUsers([800, 200], [90, 10]);
    assert.equal(ledger.sampleRatio().answer, 'mismatch');
    ledger.addUsers([98_200, 9_800], [90, 10]);
    assert.equal(ledger.sampleRatio().answer, 'mismatch', 'later users do not forgive');
    const restored = new Ledger(staging, 0, overJson(ledger.snapshot()));
    assert.deepEqual(restored.sampleRatio(), ledger.sampleRatio());
    restored.anew('release', 0);
    assert.equal(restored.sampleRatio().answer, 'ok');
  });

  test('users who come again after restarts are no further evidence', () => {
    let ledger = new Ledger(staging, 0);
    // A little more than the split says, as it happens by luck.
    for (let restart = 0; restart < 60; restart += 1) {
      ledger.addUsers([885, 115], [90, 10]);
      ledger = new Ledger(staging, 0, overJson(ledger.snapshot()));
    }
    const { answer, users } = ledger.sampleRatio();
    assert.deepEqual({ answer, users }, { answer: 'ok', users: 60_000 });
  });

  test('of several candidates it is told of the one that is furthest off, by its name', () => {
    const ledger = new Ledger(several, 0);
    ledger.addUsers([6_000, 2_010, 2_500], [60, 20, 20]);
    const { answer, version, candidateUsers, users, expectedCandidateUsers } = ledger.sampleRatio();
    assert.deepEqual(
      { answer, version, candidateUsers, users, expectedCandidateUsers },
      { answer: 'mismatch', version: 'c', candidateUsers: 2_500, users: 10_510, expectedCandidateUsers: 2_102 },
    );
    assert.equal('version' in new Ledger(staging, 0).sampleRatio(), false);
  });
});

/** Seconds of 120 baseline requests and 40 of each candidate, of which shares fail. */
function feedAll(ledger: Ledger, rates: readonly number[], { seconds = 20, fromMs = 0 } = {}): void {
  const random = randomFrom(7);
  for (let i = 1; i <= seconds; i += 1) {
    const candidates = rates.map((failures) => armOf(40, { failures }, random));
    ledger.addStratum([armOf(120, { failures: 0.001 }, random), ...candidates], fromMs + i * 1_000);
  }
}

function answersOf(ledger: Ledger): Record<string, string> {
  return Object.fromEntries(ledger.verdicts().map(({ version, check, answer }) => [`${version} ${check}`, answer]));
}

suite('with several candidates', () => {
  test('each that gets users has every check, by its own requests', () => {
    const ledger = new Ledger(several, 0);
    feedAll(ledger, [0.001, 0.3, 0]);
    assert.deepEqual(answersOf(ledger), {
      'b error-rate': 'not-enough-data',
      'b latency': 'not-enough-data',
      'c error-rate': 'fail',
      'c latency': 'not-enough-data',
    });
    const failing = ledger.verdicts().find(({ answer }) => answer === 'fail');
    assert.match(failing?.sentence ?? '', /^c fails .* of requests, stable /);
  });

  test('they share alpha, and no evidence: what one does changes nothing for another', () => {
    const [alone, together] = [new Ledger(fixedOf(['b'], { b: 20 }), 0), new Ledger(several, 0)];
    const random = randomFrom(3);
    for (let i = 1; i <= 30; i += 1) {
      const arms = [armOf(120, { failures: 0.01 }, random), armOf(40, { failures: 0.05 }, random)];
      alone.addStratum(arms, i * 1_000);
      together.addStratum([...arms, armOf(40, { failures: 1 }, random), emptyArm()], i * 1_000);
    }
    const [one, two] = [alone.verdicts()[0]?.evidence, together.verdicts()[0]?.evidence];
    assert.ok(one?.kind === 'error-rate' && two?.kind === 'error-rate');
    assert.equal(two.logHarm, one.logHarm);
    assert.ok(Math.abs(two.harmThreshold - one.harmThreshold - Math.LN2) < 1e-12, 'alpha is halved');
    assert.equal(two.proofThreshold, one.proofThreshold, 'every guard must pass: nothing to share');
  });

  test('a restart in the middle changes no verdict from then on', () => {
    const ledger = new Ledger(several, 0);
    feedAll(ledger, [0.001, 0.02, 0]);
    const restored = new Ledger(several, 9_000_000, overJson(ledger.snapshot()));
    for (const each of [ledger, restored]) feedAll(each, [0.001, 0.02, 0], { fromMs: 20_000, seconds: 60 });
    assert.deepEqual(restored.verdicts(), ledger.verdicts());
    assert.deepEqual(restored.snapshot(), ledger.snapshot());
  });

  test('what was kept before there were others is the first one’s, and one candidate alone is kept as it always was', () => {
    const alone = new Ledger(fixedOf(['b'], { b: 20 }), 0);
    feedAll(alone, [0.3]);
    const old = overJson(alone.snapshot());
    assert.deepEqual(
      Object.keys(old).toSorted((a, b) => a.localeCompare(b)),
      ['errors', 'latencies', 'newcomers', 'restartedMs', 'stageCounts', 'stageLatencies'],
    );
    const restored = new Ledger(several, 0, old);
    assert.deepEqual(answersOf(restored), {
      'b error-rate': 'fail',
      'b latency': 'not-enough-data',
      'c error-rate': 'not-enough-data',
      'c latency': 'not-enough-data',
    });
  });

  test('an edit of the split that gives one users begins its evidence, and one that takes them ends it', () => {
    const ledger = new Ledger(fixedOf(['b', 'c'], { b: 20 }), 0);
    feedAll(ledger, [0.3, 0.3]);
    ledger.follow(fixedOf(['b', 'c'], { b: 20, c: 20 }));
    assert.equal(answersOf(ledger)['c error-rate'], 'not-enough-data');
    assert.equal(answersOf(ledger)['b error-rate'], 'fail', 'the first keeps what it has gathered');
    feedAll(ledger, [0.3, 0.3], { fromMs: 20_000 });
    assert.equal(answersOf(ledger)['c error-rate'], 'fail');
    ledger.follow(fixedOf(['b', 'c'], { b: 20, c: 0 }));
    assert.deepEqual(Object.keys(answersOf(ledger)), ['b error-rate', 'b latency']);
  });

  for (const scope of ['guards', 'release'] as const) {
    test(`what begins anew with ${scope} begins anew for all of them`, () => {
      const ledger = new Ledger(several, 0);
      feedAll(ledger, [0.3, 0.3, 0]);
      ledger.anew(scope, 20_000);
      assert.deepEqual(new Set(Object.values(answersOf(ledger))), new Set(['not-enough-data']));
    });
  }
});
