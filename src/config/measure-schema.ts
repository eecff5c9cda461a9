// The keys that say what of the business is measured: the same for a check in `analysis.checks` and for a metric of `experiment`.
import { z } from 'zod';
import { eventName } from './event-schema.ts';
import { parseCount, parseDuration } from './quantities.ts';
import { accepted, refused, type Reading } from './reading.ts';
import { mapping, oneOf, someText, written } from './schema-kit.ts';
import type { Metric } from '../rollout/experiment.ts';

const dayMs = 86_400_000;
const longestWindowMs = 90 * dayMs;
const lastDay = 90;

const conversion = {
  metric: z.literal('conversion'),
  event: eventName,
  of: eventName.optional(),
  window: written(readWindow, 'a duration such as 24h').prefault('24h'),
};
const value = {
  metric: z.literal('value'),
  event: eventName,
  cap: written(readCap, 'a number such as 5000').optional(),
};
const revenue = { ...value, metric: z.literal('revenue') };
const retention = { metric: z.literal('retention'), day: written(readDay, 'a number of days').prefault(1) };
const events = { metric: z.literal('events'), event: eventName };

const metricName = { name: someText('a name such as orders').optional() };

export const measureSchema = z.discriminatedUnion(
  'metric',
  [
    mapping({ ...metricName, ...conversion }, 'a metric'),
    mapping({ ...metricName, ...value }, 'a metric'),
    mapping({ ...metricName, ...revenue }, 'a metric'),
    mapping({ ...metricName, ...retention }, 'a metric'),
    mapping({ ...metricName, ...events }, 'a metric'),
  ],
  { error: () => 'a metric: a mapping with metric: conversion, value, revenue, retention or events' },
);

const share = () => written(readShare, 'a factor such as 0.95');
const margins = {
  ...metricName,
  role: oneOf('guard', 'signal').prefault('guard'),
  tolerate: mapping({ ratio: share().prefault(0.95) }, 'a mapping with ratio').prefault({}),
  prove: mapping({ ratio: share() }, 'a mapping with ratio').optional(),
};

/** The business checks, for the list of all checks. */
export const businessCheckSchemas = [
  mapping({ ...margins, ...conversion }, 'a check'),
  mapping({ ...margins, ...value }, 'a check'),
  mapping({ ...margins, ...revenue }, 'a check'),
  mapping({ ...margins, ...retention }, 'a check'),
] as const;

export type MeasureDocument = z.output<typeof measureSchema>;
export type BusinessCheckDocument = z.output<(typeof businessCheckSchemas)[number]>;

/** The metric that a checked document means; one without a name is called as its kind. */
export function buildMeasure(document: MeasureDocument | BusinessCheckDocument): Metric {
  const name = document.name ?? document.metric;
  switch (document.metric) {
    case 'conversion':
      return { kind: 'conversion', name, event: document.event, of: document.of ?? null, windowMs: document.window };
    case 'retention':
      return { kind: 'retention', name, day: document.day };
    case 'events':
      return { kind: 'events', name, event: document.event };
    default:
      return { kind: document.metric, name, event: document.event, cap: document.cap ?? null };
  }
}

function readWindow(given: unknown): Reading<number> {
  const duration = parseDuration(given);
  if (!duration.ok || (duration.value > 0 && duration.value <= longestWindowMs)) return duration;
  return refused('is out of range', 'write a duration of at most 90d, such as 24h');
}

function readDay(given: unknown): Reading<number> {
  const day = parseCount(given);
  return !day.ok || day.value <= lastDay ? day : refused('is out of range', 'write a day from 1 to 90');
}

function readCap(given: unknown): Reading<number> {
  const cap = Number(given);
  if (/^\d{1,12}(\.\d{1,9})?$/.test(String(given)) && cap > 0) return accepted(cap);
  return refused('is not a number above 0');
}

function readShare(given: unknown): Reading<number> {
  const ratio = Number(given);
  if (/^\d(\.\d{1,9})?$/.test(String(given)) && ratio > 0 && ratio <= 1) return accepted(ratio);
  return refused(
    'is not a factor above 0 and at most 1',
    'write 0.95 for at least 95 percent of what the baseline has',
  );
}
