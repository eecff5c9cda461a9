// The keys of `experiment`: which metrics compare the versions, how sure one has to be, and what ends it.
import { z } from 'zod';
import { buildMeasure, measureSchema } from './measure-schema.ts';
import { parseCount, parseDuration } from './quantities.ts';
import { accepted, refused, type Reading } from './reading.ts';
import { listOf, mapping, oneOf, someText, written } from './schema-kit.ts';
import type { EventRule, Experiment, Metric } from '../rollout/experiment.ts';
import type { Check } from '../rollout/staging.ts';

const defaultWindowMs = 24 * 3_600_000;
const duration = () => written(parseDuration, 'a duration such as 7d');
const stopForms = 'decided, or a mapping with after';

export const experimentSchema = mapping(
  {
    primary: someText('the name of a metric, or its kind').optional(),
    metrics: listOf(measureSchema, 'a list of metrics')
      .min(1, { error: () => 'a list of metrics' })
      .optional(),
    alpha: written(readAlpha, 'a chance such as 0.05').prefault(0.05),
    users: written(parseCount, 'a number of users').optional(),
    least: duration().prefault('7d'),
    stopWhen: z
      .union([written(readDecided, stopForms), mapping({ after: duration() }, 'a mapping with after')], {
        error: () => stopForms,
      })
      .optional(),
    then: oneOf('report', 'promote-winner').prefault('report'),
    keep: duration().prefault('30d'),
    timeZone: written(readTimeZone, 'a time zone such as Asia/Shanghai').prefault('UTC'),
  },
  'a mapping with primary, metrics, alpha and the like',
);

type ExperimentDocument = z.output<typeof experimentSchema>;

/** What is measured of a rollout; null where nothing is. */
export function buildExperiment(
  document: ExperimentDocument | undefined,
  { events, checks }: { readonly events: readonly EventRule[]; readonly checks: readonly Check[] },
): Experiment | null {
  const checked = checks.flatMap((check) => ('measure' in check ? [check.measure] : []));
  if (document === undefined && events.length === 0 && checked.length === 0) return null;
  const { metrics, primary, users, least, stopWhen, keep, ...rest } = document ?? experimentSchema.parse({});
  const listed = metrics?.map(buildMeasure) ?? [];
  const usual = metrics === undefined ? usualMetrics(events, checked) : [];
  return {
    ...rest,
    metrics: primaryFirst(withRevenue([...listed, ...checked, ...usual]), primary),
    expectedUserCount: users ?? null,
    leastMs: least,
    stopWhen: stopWhen === undefined ? null : stopOf(stopWhen),
    keepMs: keep,
  };
}

/** What people ask of any shop, where the policy does not say what to measure; nothing twice. */
function usualMetrics(events: readonly EventRule[], known: readonly Metric[]): Metric[] {
  const valued = (event: EventRule): boolean => !isWorthNothing(event);
  const ofEvents = [...events.filter(valued), ...events.filter(isWorthNothing)].flatMap(metricsOf);
  const retained = [1, 7].map((day): Metric => ({ kind: 'retention', name: `retention-day-${day}`, day }));
  const knownNames = new Set(known.map(({ name }) => name));
  const knownMeanings = new Set(known.map(meaningOf));
  return [...ofEvents, ...retained].filter(
    (metric) => !knownNames.has(metric.name) && !knownMeanings.has(meaningOf(metric)),
  );
}

/** Beside each order value the revenue a user: more small orders lower the one and raise the other. */
function withRevenue(metrics: readonly Metric[]): Metric[] {
  const isThere = (name: string, event: string): boolean =>
    metrics.some((metric) => metric.name === name || (metric.kind === 'revenue' && metric.event === event));
  const revenues = metrics.flatMap((metric): Metric[] => {
    if (metric.kind !== 'value') return [];
    const name = `${metric.name}-revenue`;
    return isThere(name, metric.event) ? [] : [{ ...metric, kind: 'revenue', name }];
  });
  return [...metrics, ...revenues.filter(({ name }, i) => revenues.findIndex((one) => one.name === name) === i)];
}

/** Whether an event has no value that could be summed up. */
function isWorthNothing({ value }: Pick<EventRule, 'value'>): boolean {
  return value.kind === 'constant' && value.value === 0;
}

function metricsOf(event: EventRule): Metric[] {
  const { name } = event;
  const conversion: Metric = {
    kind: 'conversion',
    name: `${name}-conversion`,
    event: name,
    of: null,
    windowMs: defaultWindowMs,
  };
  const often: Metric = { kind: 'events', name: `${name}-events`, event: name };
  if (isWorthNothing(event)) return [conversion, often];
  const value: Metric = { kind: 'value', name: `${name}-value`, event: name, cap: null };
  return [conversion, value, { ...value, kind: 'revenue', name: `${name}-revenue` }, often];
}

/** What a metric is but for its name. */
function meaningOf(metric: Metric): string {
  const keys = Object.keys(metric).filter((key) => key !== 'name');
  return JSON.stringify(metric, keys.toSorted());
}

/** The one that `primary` names, or else is of that kind; the first where nothing is said. */
function primaryFirst(metrics: readonly Metric[], primary: string | undefined): Experiment['metrics'] {
  const named = metrics.find(({ name }) => name === primary) ?? metrics.find(({ kind }) => kind === primary);
  const first = named ?? metrics[0]!;
  return [first, ...metrics.filter((metric) => metric !== first)];
}

function stopOf(stopWhen: NonNullable<ExperimentDocument['stopWhen']>): Experiment['stopWhen'] {
  return stopWhen === 'decided' ? { kind: 'decided' } : { kind: 'after', afterMs: stopWhen.after };
}

function readAlpha(value: unknown): Reading<number> {
  const alpha = Number(value);
  if (/^0?\.\d{1,9}$/.test(String(value)) && alpha > 0 && alpha < 0.5) return accepted(alpha);
  return refused('is not a chance above 0 and below 0.5', 'write 0.05 for one false winner in twenty');
}

function readDecided(value: unknown): Reading<'decided'> {
  if (value === 'decided') return accepted(value);
  return refused('says nothing that could come', 'write decided, or a mapping such as { after: 14d }');
}

function readTimeZone(value: unknown): Reading<string> {
  try {
    return accepted(new Intl.DateTimeFormat('en', { timeZone: String(value) }).resolvedOptions().timeZone);
  } catch {
    return refused('is not a time zone', 'write an IANA name such as Asia/Shanghai, or UTC');
  }
}
