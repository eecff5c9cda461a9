// What judging costs: `npm run bench:judge` prints median and p99 of one update of all checks of a rollout (errors, latency at three
// quantiles, the ratio for display, the sample ratio), as the controller does it for every closed slice.
import { styleText } from 'node:util';
import { combineEvidence } from '../src/stats/combine.ts';
import { restartEvidence, startEvidence, updateEvidence } from '../src/stats/evidence.ts';
import { errorGuardTest } from '../src/stats/guard-test.ts';
import {
  latencyHarm,
  latencySafety,
  latencyTest,
  restartLatency,
  startLatency,
  updateLatency,
} from '../src/stats/latency-evidence.ts';
import type { LatencySlices } from '../src/stats/latency-evidence.ts';
import { createHistogram, observe } from '../src/stats/log-histogram.ts';
import { errorPromotionTest } from '../src/stats/promotion-test.ts';
import { startRatio, updateRatio } from '../src/stats/rate-ratio-interval.ts';
import { addUsers, sampleRatio } from '../src/stats/sample-ratio.ts';
import type { SplitEpoch } from '../src/stats/sample-ratio.ts';
import type { StratumCounts } from '../src/stats/stratum.ts';

const sliceCount = 2_000;
const roundCount = 10;
const goalUs = 50;
const perSecond = 5_000;
const share = 0.05;
const failureRate = 0.01;

type Slice = { readonly failures: StratumCounts; readonly latencies: LatencySlices; readonly users: SplitEpoch };

const errorGuard = errorGuardTest({ ratio: 1.1, plus: 0.0005 });
const errorPromotion = errorPromotionTest({ ratio: 1.5, plus: 0.001 });
const latency = latencyTest({ quantiles: [0.5, 0.95, 0.99], tolerate: 1.1, prove: 1.25 });

/** A tenth of a second of traffic: random, so that no branch is learnt by heart. */
function sliceOf(): Slice {
  const latencies = { candidate: createHistogram(), baseline: createHistogram() };
  const failures = { candidateCount: 0, candidateHits: 0, baselineCount: 0, baselineHits: 0 };
  for (let i = 0; i < perSecond / 10; i += 1) {
    const isCandidate = Math.random() < share;
    const isFailure = Math.random() < failureRate ? 1 : 0;
    failures[isCandidate ? 'candidateCount' : 'baselineCount'] += 1;
    failures[isCandidate ? 'candidateHits' : 'baselineHits'] += isFailure;
    observe(
      isCandidate ? latencies.candidate : latencies.baseline,
      60 * Math.exp(1.5 * (Math.random() + Math.random() - 1)),
    );
  }
  const users = { counts: [failures.baselineCount, failures.candidateCount], shares: [1 - share, share] };
  return { failures, latencies, users };
}

/** Judges the slices one after the other and gives the time of each, in µs. */
function judgeAll(slices: readonly Slice[]): number[] {
  let guard = startEvidence(errorGuard);
  let promotion = startEvidence(errorPromotion);
  let ratio = startRatio();
  let speed = startLatency(latency);
  let epochs: readonly SplitEpoch[] = [];
  let total = 0;
  const times = slices.map(({ failures, latencies, users }, i) => {
    const from = process.hrtime.bigint();
    if (i > 0 && i % 600 === 0) [guard, speed] = [restartEvidence(guard), restartLatency(speed)];
    guard = updateEvidence(errorGuard, guard, failures);
    promotion = updateEvidence(errorPromotion, promotion, failures);
    ratio = updateRatio(ratio, failures);
    speed = updateLatency(latency, speed, latencies);
    epochs = addUsers(epochs, users);
    const harm = combineEvidence([
      { weight: 0.5, logEvidence: guard.logEvidence },
      { weight: 0.5, logEvidence: latencyHarm(speed).logEvidence },
    ]);
    const safety = Math.min(promotion.logEvidence, latencySafety(speed).logEvidence);
    total += harm.logEvidence + safety + sampleRatio(epochs).logEvidence;
    return Number(process.hrtime.bigint() - from) / 1000;
  });
  if (!Number.isFinite(total)) throw new Error(`the sum of all evidence must be finite, not ${total}`);
  return times;
}

const slices = Array.from({ length: sliceCount }, sliceOf);
judgeAll(slices);
const times = Array.from({ length: roundCount }, () => judgeAll(slices))
  .flat()
  .toSorted((a, b) => a - b);
const [medianUs, p99Us] = [0.5, 0.99].map((q) => times[Math.floor(q * times.length)]!);
const isReached = medianUs! < goalUs;
const verdict = styleText(isReached ? 'green' : 'red', isReached ? 'reached' : 'missed');
process.stdout.write(
  `one update of all checks of a rollout: median ${medianUs!.toFixed(1)} µs, p99 ${p99Us!.toFixed(1)} µs; goal under ${goalUs} µs: ${verdict}\n`,
);
process.exitCode = isReached ? 0 : 1;
