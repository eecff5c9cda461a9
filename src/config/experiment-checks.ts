// What a schema cannot see about events and experiments: names that must exist, and pairs of keys. Reads also a tree that is
// wrong in other places.
import { z } from 'zod';
import { suggestName } from '../rollout/nearest-name.ts';
import { type Finding, findRepeatedNames, type Path, unquotedFinding, valueFinding } from './finding.ts';
import { parseDuration } from './quantities.ts';

const loose = z.unknown().optional();
const eventSketch = z.object({ name: loose, value: loose }).catch({});
const measureSketch = z
  .object({ name: loose, metric: loose, event: loose, of: loose, window: loose, day: loose })
  .extend({ tolerate: z.object({ ratio: loose }).catch({}), prove: z.object({ ratio: loose }).nullable().catch(null) })
  .partial()
  .catch({});
const sketch = z.object({
  events: z.array(eventSketch).catch([]),
  analysis: z.object({ checks: z.array(measureSketch).catch([]) }).catch({ checks: [] }),
  experiment: z
    .object({
      primary: loose,
      metrics: z.array(measureSketch).nullable().catch(null),
      keep: loose,
      stopWhen: loose,
      then: loose,
    })
    .nullable()
    .catch(null),
});

type Measure = z.output<typeof measureSketch>;
type Placed = { readonly measure: Measure; readonly path: Path };
type Events = readonly z.output<typeof eventSketch>[];

const businessMetrics = new Set<unknown>(['conversion', 'value', 'revenue', 'retention']);
const dayMs = 86_400_000;
const longestWaitMs = 91 * dayMs;

/** Everything that is wrong between the keys by which one rollout's versions are compared. */
export function findInExperiment(rollout: unknown, path: Path): Finding[] {
  const read = sketch.safeParse(rollout);
  if (!read.success) return [];
  const { events, analysis, experiment } = read.data;
  const checks = analysis.checks
    .map((measure, index): Placed => ({ measure, path: [...path, 'analysis', 'checks', index] }))
    .filter(({ measure }) => businessMetrics.has(measure.metric));
  const metrics = (experiment?.metrics ?? []).map((measure, index): Placed => ({
    measure,
    path: [...path, 'experiment', 'metrics', index],
  }));
  return [
    ...findRepeatedNames(
      events.map(({ name }) => name),
      [...path, 'events'],
    ),
    ...[...checks, ...metrics].flatMap((placed) => findUnknownEvents(placed, events)),
    ...checks.flatMap(findNarrowProof),
    ...findRepeatedMetrics(checks, metrics),
    ...(experiment === null
      ? []
      : findInKeys(
          { ...experiment, all: [...checks, ...(experiment.metrics === null ? usual(events) : metrics)] },
          path,
        )),
  ];
}

function findUnknownEvents({ measure, path }: Placed, events: Events): Finding[] {
  const names = events.map(({ name }) => String(name));
  const unknown = (['event', 'of'] as const).flatMap((key) => {
    const name = measure[key];
    if (typeof name !== 'string' || names.includes(name)) return [];
    return [valueFinding([...path, key], 'is not an event', suggestName(name, names, 'events') ?? 'add it to events')];
  });
  const isSum = measure.metric === 'value' || measure.metric === 'revenue';
  const event = events.find(({ name }) => name === measure.event);
  if (!isSum || event === undefined || (event.value !== undefined && Number(event.value) !== 0)) return unknown;
  return [...unknown, valueFinding([...path, 'event'], 'is an event without a value', 'give the event a value')];
}

/** A candidate that has proved its worth must not be one that is harm. */
function findNarrowProof({ measure: { tolerate, prove }, path }: Placed): Finding[] {
  if (!prove || !(Number(prove.ratio) > Number(tolerate?.ratio ?? 0.95))) return [];
  const hint = 'what is proved must allow at least what is tolerated';
  return [unquotedFinding([...path, 'prove'], 'is narrower than tolerate', hint)];
}

/** Names of checks among themselves are told apart with the other checks. */
function findRepeatedMetrics(checks: readonly Placed[], metrics: readonly Placed[]): Finding[] {
  const nameOf = ({ measure }: Placed): unknown => measure.name ?? measure.metric;
  return metrics.flatMap((metric, index) => {
    const isOf = (others: readonly Placed[]): boolean => others.some((other) => nameOf(other) === nameOf(metric));
    const isChecked = isOf(checks);
    if (!isChecked && !isOf(metrics.slice(0, index))) return [];
    const problem = `has the name "${String(nameOf(metric))}", which ${isChecked ? 'a check has' : 'is taken'}`;
    const hint = isChecked
      ? 'checks are measured too: leave it out, or give it a name of its own'
      : 'give it a name of its own';
    return [unquotedFinding([...metric.path, 'name'], problem, hint)];
  });
}

/** What is measured where the file does not say. */
function usual(events: Events): Placed[] {
  const ofEvents = events.flatMap(({ name, value }): Measure[] => {
    const kinds = value === undefined ? ['conversion', 'events'] : ['conversion', 'value', 'revenue', 'events'];
    return kinds.map((metric) => ({ name: `${String(name)}-${metric}`, metric }));
  });
  const retained = [1, 7].map((day): Measure => ({ name: `retention-day-${day}`, metric: 'retention', day }));
  return [...ofEvents, ...retained].map((measure) => ({ measure, path: [] }));
}

type Keys = Pick<NonNullable<z.output<typeof sketch>['experiment']>, 'primary' | 'keep' | 'stopWhen' | 'then'>;

function findInKeys({ primary, keep, stopWhen, then, all }: Keys & { all: Placed[] }, path: Path): Finding[] {
  const at = [...path, 'experiment'];
  const known = all.flatMap(({ measure }) => [measure.name ?? measure.metric, measure.metric]).map(String);
  const isUnknown = typeof primary === 'string' && !known.includes(primary);
  const hint = suggestName(String(primary), [...new Set(known)], 'metrics');
  const endless = valueFinding([...at, 'then'], 'never comes to pass', 'say when it ends, with stopWhen');
  return [
    ...(isUnknown ? [valueFinding([...at, 'primary'], 'is not a metric', hint)] : []),
    ...(then === 'promote-winner' && stopWhen === undefined ? [endless] : []),
    ...findShortKeep(keep, all, [...at, 'keep']),
  ];
}

/** Who is forgotten before the outcome is known would count as one who did not come back. */
function findShortKeep(keep: unknown, all: readonly Placed[], path: Path): Finding[] {
  const kept = parseDuration(keep ?? '30d');
  const waits = all.map(({ measure }) => {
    if (measure.metric === 'retention') return (Number(measure.day ?? 1) + 1) * dayMs;
    const window = parseDuration(measure.window);
    return measure.metric === 'conversion' && window.ok ? window.value : 0;
  });
  // One that is too long is a problem of its own.
  const longestMs = Math.max(dayMs, ...waits.filter((ms) => ms <= longestWaitMs));
  if (!kept.ok || kept.value >= longestMs) return [];
  return [
    valueFinding(path, 'ends before the longest metric is known', `write at least ${Math.ceil(longestMs / dayMs)}d`),
  ];
}
