// The keys of a version that say how its servers are used: balance, health, eject, slowStart, retries, limits.
import type { z } from 'zod';
import type { RetryReason } from '../rollout/outcome.ts';
import type { Serving } from '../rollout/serving.ts';
import { parseCount, parsePercent } from './quantities.ts';
import { accepted, refused, type Reading } from './reading.ts';
import { mapping, oneOf, oneOrMore, written } from './schema-kit.ts';
import { timeout } from './timeout.ts';

const mostRetryCount = 10;

const healthSchema = mapping(
  {
    path: written(readHealthPath, 'a path such as /healthz'),
    every: timeout().prefault('5s'),
    timeout: timeout().prefault('1s'),
    unhealthyAfter: count().prefault(3),
    healthyAfter: count().prefault(2),
  },
  'a mapping with path, every, timeout, unhealthyAfter or healthyAfter',
);

const ejectSchema = mapping(
  {
    after: count().prefault(5),
    within: timeout().prefault('10s'),
    for: timeout().prefault('30s'),
    max: written(parsePercent, 'a percent from 0 to 100').prefault(50),
  },
  'a mapping with after, within, for or max',
);

const retriesSchema = mapping(
  {
    attempts: written(readAttempts, `a whole number from 0 to ${mostRetryCount}`).prefault(1),
    on: oneOrMore(written(readReason, 'a reason such as connect or 503'), 'a list of reasons').prefault([
      'connect',
      'reset',
      502,
      503,
      504,
    ]),
    budget: written(parsePercent, 'a percent from 0 to 100').prefault(20),
    perTry: timeout().optional(),
  },
  'a mapping with attempts, on, budget or perTry',
);

const limitsSchema = mapping(
  {
    maxRequests: written(orUnlimited(parseCount), 'a whole number, or unlimited').prefault('unlimited'),
    maxPending: written(orUnlimited(readPending), 'a whole number, or unlimited').prefault('unlimited'),
  },
  'a mapping with maxRequests or maxPending',
);

/** The keys, to be spread among those of a version. */
export const servingKeys = {
  balance: oneOf('round-robin', 'least-requests', 'hash').prefault('round-robin'),
  health: healthSchema.optional(),
  eject: ejectSchema.prefault({}),
  slowStart: timeout().optional(),
  retries: retriesSchema.prefault({}),
  limits: limitsSchema.prefault({}),
};

type ServingDocument = {
  readonly [Key in Exclude<keyof typeof servingKeys, 'health' | 'slowStart'>]: z.output<(typeof servingKeys)[Key]>;
} & {
  readonly health?: z.output<typeof healthSchema> | undefined;
  readonly slowStart?: number | undefined;
};

/** How the servers of a checked version are used. */
export function buildServing({ balance, health, eject, slowStart, retries, limits }: ServingDocument): Serving {
  return {
    balance,
    health:
      health === undefined
        ? null
        : {
            path: health.path,
            everyMs: health.every,
            timeoutMs: health.timeout,
            unhealthyAfter: health.unhealthyAfter,
            healthyAfter: health.healthyAfter,
          },
    eject: { after: eject.after, withinMs: eject.within, forMs: eject.for, maxPercent: eject.max },
    slowStartMs: slowStart ?? 0,
    retries: {
      attempts: retries.attempts,
      // A limit on each try says itself that one that takes longer is tried again.
      on: new Set([...[retries.on].flat(), ...(retries.perTry === undefined ? [] : (['timeout'] as const))]),
      budgetPercent: retries.budget,
      perTryMs: retries.perTry ?? null,
    },
    limits: { maxRequestCount: limits.maxRequests, maxPendingCount: limits.maxPending },
  };
}

function count() {
  return written(parseCount, 'a whole number');
}

function readHealthPath(value: unknown): Reading<string> {
  const path = String(value);
  return /^\/[!-~]*$/.test(path) && !path.includes('#')
    ? accepted(path)
    : refused('is not a path that can be asked for', 'write a path such as /healthz');
}

function readReason(value: unknown): Reading<RetryReason> {
  const word = String(value);
  if (word === 'connect' || word === 'reset' || word === 'timeout') return accepted(word);
  if (/^5\d\d$/.test(word)) return accepted(word as `${number}`);
  return refused('is not a reason to try again', 'write connect, reset, timeout, or a status from 500 to 599');
}

function readAttempts(value: unknown): Reading<number> {
  const attempts = readWhole(value);
  return attempts !== null && attempts <= mostRetryCount
    ? accepted(attempts)
    : refused(`is not a whole number from 0 to ${mostRetryCount}`);
}

function readPending(value: unknown): Reading<number> {
  const pending = readWhole(value);
  return pending === null ? refused('is not a whole number') : accepted(pending);
}

/** A whole number from 0; digits in text count, so that `${NAME}` can stand for it. */
function readWhole(value: unknown): number | null {
  return /^\d{1,15}$/.test(String(value)) ? Number(value) : null;
}

function orUnlimited(parse: (value: unknown) => Reading<number>): (value: unknown) => Reading<number> {
  return (value) => {
    if (value === 'unlimited') return accepted(Infinity);
    const reading = parse(value);
    return reading.ok ? reading : { ...reading, hint: reading.hint ?? 'or write unlimited' };
  };
}
