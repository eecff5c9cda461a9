// The keys that say how a release moves: stages, bake, analysis and its checks.
import { z } from 'zod';
import { businessCheckSchemas } from './measure-schema.ts';
import { parseCount, parseDuration, parsePercent } from './quantities.ts';
import { accepted, refused, type Reading } from './reading.ts';
import { listOf, mapping, oneOf, someOf, someText, written } from './schema-kit.ts';
import { timeout } from './timeout.ts';
import { webUrl } from './web-url.ts';

const duration = () => written(parseDuration, 'a duration such as 10m');
const percent = () => written(parsePercent, 'a percent such as 10');
const wholeNumber = () => written(parseWhole, 'a whole number');

const stageSchema = mapping(
  {
    name: someText('a name such as small'),
    percent: percent(),
    to: percent().optional(),
    step: percent().optional(),
    hold: duration().optional(),
    minRequests: wholeNumber().optional(),
    approve: oneOf('auto', 'manual').prefault('auto'),
  },
  'a stage: a mapping with name and percent',
);

export const stagesSchema = someOf(stageSchema, 'a list of at least one stage');

export const bakeSchema = mapping(
  { hold: duration(), control: percent().prefault(1) },
  'a mapping with hold and control',
);

const ratio = () => written(parseRatio, 'a factor such as 1.1');
const failureMargin = (ratioDefault: string, plusDefault: string) =>
  mapping(
    { ratio: ratio().prefault(ratioDefault), plus: percent().prefault(plusDefault) },
    'a mapping with ratio and plus',
  ).prefault({});
const latencyMargin = (ratioDefault: string) =>
  mapping({ ratio: ratio().prefault(ratioDefault) }, 'a mapping with ratio').prefault({});
const named = { name: someText('a name such as cpu').optional(), role: oneOf('guard', 'signal').prefault('guard') };
const number = () => written(parseNumber, 'a number');

const checkSchema = z.discriminatedUnion(
  'metric',
  [
    mapping(
      {
        ...named,
        metric: z.literal('error-rate'),
        tolerate: failureMargin('1.1', '0.05'),
        prove: failureMargin('1.5', '0.1'),
      },
      'a check',
    ),
    mapping(
      {
        ...named,
        metric: z.literal('latency'),
        quantiles: someOf(written(parseQuantile, 'a quantile such as 0.95'), 'a list of quantiles').prefault([
          '0.5',
          '0.95',
          '0.99',
        ]),
        tolerate: latencyMargin('1.1'),
        prove: latencyMargin('1.25'),
      },
      'a check',
    ),
    ...businessCheckSchemas,
    mapping(
      {
        ...named,
        metric: z.literal('prometheus'),
        url: webUrl('a URL such as http://prometheus:9090'),
        query: someText('a PromQL query that gives one number'),
        max: number().optional(),
        min: number().optional(),
        every: timeout().prefault('30s'),
        timeout: timeout().prefault('5s'),
        failures: written(parseCount, 'a whole number').prefault(3),
      },
      'a check',
    ),
    mapping(
      {
        ...named,
        metric: z.literal('webhook'),
        url: webUrl('a URL such as http://ci.example.com/smoke'),
        every: timeout().prefault('1m'),
        timeout: timeout().prefault('5s'),
        failures: written(parseCount, 'a whole number').prefault(1),
      },
      'a check',
    ),
  ],
  {
    error: () =>
      'a check: a mapping with metric: error-rate, latency, conversion, value, revenue, retention, prometheus or webhook',
  },
);

export const analysisSchema = mapping(
  {
    alpha: written(parseAlpha, 'a chance such as 0.01').prefault('0.01'),
    advance: oneOf('evidence', 'time').prefault('evidence'),
    maxHold: duration().prefault('24h'),
    onTimeout: oneOf('hold', 'advance', 'rollback').prefault('hold'),
    onFail: oneOf('rollback', 'step-back', 'pause').prefault('rollback'),
    onNoTraffic: oneOf('hold', 'rollback').prefault('hold'),
    onSourceError: oneOf('hold', 'rollback').prefault('hold'),
    down: written(readDown, 'a duration such as 5s, or never').prefault('5s'),
    checks: listOf(checkSchema, 'a list of checks').optional(),
  },
  'a mapping with alpha, advance, checks and the like',
);

export type AnalysisDocument = z.output<typeof analysisSchema>;
export type CheckDocument = z.output<typeof checkSchema>;

function readDown(value: unknown): Reading<number | null> {
  return value === 'never' ? accepted(null) : parseDuration(value);
}

function parseNumber(value: unknown): Reading<number> {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?(e-?\d+)?$/i.test(value));
  return isNumber && Number.isFinite(Number(value)) ? accepted(Number(value)) : refused('is not a number');
}

function parseWhole(value: unknown): Reading<number> {
  const count = parseNumber(value);
  return count.ok && Number.isSafeInteger(count.value) && count.value >= 0
    ? count
    : refused('is not a whole number of at least 0');
}

function inside(value: unknown, low: number, high: number, hint: string): Reading<number> {
  const reading = parseNumber(value);
  if (!reading.ok || (reading.value > low && reading.value < high)) return reading;
  return refused('is out of range', hint);
}

function parseRatio(value: unknown): Reading<number> {
  const reading = parseNumber(value);
  if (!reading.ok || (reading.value >= 1 && reading.value <= 100)) return reading;
  return refused('is out of range', 'write a factor from 1 to 100, such as 1.1');
}

function parseQuantile(value: unknown): Reading<number> {
  return inside(value, 0, 1, 'write a number above 0 and below 1, such as 0.95');
}

function parseAlpha(value: unknown): Reading<number> {
  return inside(value, 0, 0.5, 'write a chance above 0 and below 0.5, such as 0.01');
}
