// Reads metrics as a scraper would, so that tests look at what Prometheus sees.
import type { Metrics } from '../../src/telemetry/metrics.ts';

export type MetricSample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

/** Every sample of an exposition, in either format. */
export function parseSamples(text: string): MetricSample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (match === null) throw new Error(`expected a sample, got ${JSON.stringify(line)}`);
      const pairs = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [
        name!,
        value!,
      ]);
      return { name: match[1]!, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(match[3]) };
    });
}

/** The sum of the samples of a metric whose labels contain the given ones; 0 where there is none. */
export async function sumOf(metrics: Metrics, name: string, labels: Record<string, string> = {}): Promise<number> {
  const { text } = await metrics.render('');
  return parseSamples(text)
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((sum, sample) => sum + sample.value, 0);
}
