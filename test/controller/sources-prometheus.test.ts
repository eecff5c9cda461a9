// The queries of a policy against a real Prometheus that scrapes a real exporter.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { askSource } from '../../src/controller/sources.ts';
import type { SourceSample } from '../../src/rollout/source-check.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/requirements.ts';
import { type Exporter, openExporter, openPrometheus, type Prometheus } from './prometheus.ts';
import { fields, prometheusCheck } from './source-checks.ts';

const metrics = `
cpu{version="canary"} 0.25
cpu{version="stable"} 0.5
broken{version="canary"} NaN
requests_total{version="canary"} 0
`;

suite('a real Prometheus', { skip: needs('prometheus') }, () => {
  let exporter: Exporter;
  let prometheus: Prometheus;
  const never = new AbortController().signal;
  const ask = async (query: string): Promise<SourceSample> =>
    askSource(prometheusCheck(prometheus.url, { query }), fields, never);

  before(async () => {
    exporter = await openExporter(metrics);
    prometheus = await openPrometheus(exporter);
    await eventually('the first scrape', async () => (await ask('cpu{version="canary"}')).kind === 'value');
  });
  after(async () => {
    await prometheus.close();
    await exporter.close();
  });

  const rows: [string, string, SourceSample][] = [
    [
      'gives the number of the version that is asked about',
      'cpu{version="{{version}}"}',
      { kind: 'value', value: 0.25 },
    ],
    ['gives the number of the baseline', 'cpu{version="{{baseline}}"}', { kind: 'value', value: 0.5 }],
    ['gives a scalar', 'scalar(cpu{version="canary"}) * 2', { kind: 'value', value: 0.5 }],
    ['gives NaN for a gauge that is NaN', 'broken', { kind: 'not-a-number' }],
    ['gives NaN for nothing by nothing', 'requests_total / requests_total', { kind: 'not-a-number' }],
    ['gives infinity for something by nothing', 'cpu{version="canary"} / requests_total', { kind: 'not-a-number' }],
    ['finds nothing for a name that is not there', 'cpu{version="green"}', { kind: 'empty' }],
    ['finds several series for a query without an aggregation', 'cpu', { kind: 'several', seriesCount: 2 }],
    [
      'gives a matrix for a range',
      'cpu{version="canary"}[1m]',
      { kind: 'unusable', detail: 'the query gives a matrix, not a number' },
    ],
    ['gives a string for a string', '"x"', { kind: 'unusable', detail: 'the query gives a string, not a number' }],
    ['refuses a query with a mistake', 'cpu{', { kind: 'http-error', status: 400 }],
  ];
  for (const [sentence, query, sample] of rows) {
    test(sentence, async () => assert.deepEqual(await ask(query), sample));
  }

  test('gives the newest number', async () => {
    exporter.metrics = metrics.replace('0.25', '0.875');
    await eventually('the next scrape', async () => {
      const sample = await ask('cpu{version="canary"}');
      return sample.kind === 'value' && sample.value === 0.875;
    });
  });
});
