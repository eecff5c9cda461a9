import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { WorkerGauges, type WorkerStanding } from '../../src/telemetry/worker-gauges.ts';
import { parseSamples } from '../support/metric-samples.ts';

async function valuesOf(registry: Registry, name: string): Promise<Record<string, number>> {
  const samples = parseSamples(await registry.metrics()).filter((sample) => sample.name === name);
  return Object.fromEntries(samples.map(({ labels, value }) => [labels['worker'] ?? '', value]));
}

const standingOf = (index: number, cpuSeconds: number | null): WorkerStanding => ({
  index,
  openCount: 3,
  usage: cpuSeconds === null ? null : { cpuSeconds, residentBytes: 1_000 },
});

test('a gateway in one process is one that serves, and has no series of workers', async () => {
  const registry = new Registry();
  const gauges = new WorkerGauges(registry);
  assert.ok(gauges instanceof WorkerGauges);
  assert.deepEqual(await valuesOf(registry, 'graygate_workers'), { '': 1 });
  assert.deepEqual(await valuesOf(registry, 'graygate_worker_connections'), {});
});

test('processor time goes on from that of the worker before', async () => {
  const registry = new Registry();
  const gauges = new WorkerGauges(registry);
  let serving = [standingOf(1, 5), standingOf(2, 7)];
  gauges.follow(() => serving);
  assert.deepEqual(await valuesOf(registry, 'graygate_worker_cpu_seconds_total'), { 1: 5, 2: 7 });
  gauges.lost(standingOf(1, 6));
  serving = [standingOf(2, 7)];
  assert.deepEqual(await valuesOf(registry, 'graygate_workers'), { '': 1 });
  gauges.restarted(1);
  serving = [standingOf(1, null), standingOf(2, 7)];
  assert.deepEqual(await valuesOf(registry, 'graygate_worker_cpu_seconds_total'), { 1: 6, 2: 7 });
  gauges.lost(standingOf(1, 2));
  serving = [standingOf(1, 1), standingOf(2, 7)];
  assert.deepEqual(await valuesOf(registry, 'graygate_worker_cpu_seconds_total'), { 1: 9, 2: 7 });
  assert.deepEqual(await valuesOf(registry, 'graygate_worker_restarts_total'), { 1: 1 });
  assert.deepEqual(await valuesOf(registry, 'graygate_worker_connections'), { 1: 3, 2: 3 });
});
