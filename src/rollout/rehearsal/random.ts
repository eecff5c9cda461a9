// Seeded chance for rehearsals: the same seed gives the same run on every machine. Draws are exact, whatever the numbers.
import { logGamma } from '../../stats/log-gamma.ts';

/** A source of chance; every draw advances it. */
export type Random = {
  /** At least 0, below 1. */
  uniform(): number;
  /** Hits among `count` independent tries at `rate` (0–1). Cost: constant from ten expected hits on, before that linear in them. */
  binomial(count: number, rate: number): number;
  /** Events of a mean below a million. */
  poisson(mean: number): number;
};

const tooManyToCount = 2 ** 30;

/** A generator of its own (sfc32: its period is far beyond what series of rehearsals draw). `stream` tells runs of one seed apart. */
export function randomFrom(seed: number, stream = 0): Random {
  const uniform = sfc32(seed, stream);
  const binomial = (count: number, rate: number): number => {
    if (count <= 0 || rate <= 0) return 0;
    if (rate >= 1) return count;
    if (rate > 0.5) return count - binomial(count, 1 - rate);
    return count * rate < 10 ? leapToHits(uniform, count, rate) : rejectHits(uniform, count, rate);
  };
  // A Poisson count is that of very many, very unlikely tries.
  return { uniform, binomial, poisson: (mean) => binomial(tooManyToCount, mean / tooManyToCount) };
}

/** Chris Doty-Humphrey's small fast counting generator, 32 bits a draw. */
function sfc32(seed: number, stream: number): () => number {
  let [a, b, c, counter] = [seed | 0, (seed / 2 ** 32) | 0, stream | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 15; i += 1) next();
  return next;
}

/** Geometric leaps from hit to hit. */
function leapToHits(uniform: () => number, count: number, rate: number): number {
  const logMiss = Math.log1p(-rate);
  let hits = -1;
  for (let at = 0; at <= count; hits += 1) at += 1 + Math.floor(Math.log(1 - uniform()) / logMiss);
  return hits;
}

/** Transformed rejection (Hörmann 1993, algorithm BTRS), for at least ten expected hits and a rate up to a half. */
function rejectHits(uniform: () => number, count: number, rate: number): number {
  const spread = Math.sqrt(count * rate * (1 - rate));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * rate;
  const surely = 0.92 - 4.2 / b;
  const scale = (2.83 + 5.1 / b) * spread;
  const logOdds = Math.log(rate / (1 - rate));
  const mode = Math.floor((count + 1) * rate);
  const logWays = (hits: number): number => -logGamma(hits + 1) - logGamma(count - hits + 1);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const edge = 0.5 - Math.abs(u);
    const hits = Math.floor(((2 * a) / edge + b) * u + count * rate + 0.5);
    if (edge >= 0.07 && v <= surely) return hits;
    if (hits < 0 || hits > count) continue;
    const logHeight = Math.log((v * scale) / (a / (edge * edge) + b));
    if (logHeight <= logWays(hits) - logWays(mode) + (hits - mode) * logOdds) return hits;
  }
}
