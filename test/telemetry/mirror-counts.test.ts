import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import type { MirrorDifference } from '../../src/rollout/mirror-record.ts';
import { MirrorCounts } from '../../src/telemetry/mirror-counts.ts';

const target = { rollout: 'shop', version: 'canary' } as const;

function difference(requestId: string, ...kinds: ('status' | 'json')[]): MirrorDifference {
  const differences = kinds.map((kind) => ({ kind, place: '$', user: '1', copy: '2' }));
  return { ...target, requestId, atMs: 1, method: 'GET', target: '/', differences };
}

async function series(registry: Registry): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line.startsWith('graygate_mirror')).toSorted();
}

test('copies are counted by what became of them, and each kind of difference once a pair', async () => {
  const registry = new Registry();
  const counts = new MirrorCounts(registry);
  counts.mirrored({ ...target, kind: 'answered', code: 200 });
  counts.mirrored({ ...target, kind: 'answered', code: 200 });
  counts.mirrored({ ...target, kind: 'faulted', code: 'timeout' });
  counts.mirrored({ ...target, kind: 'skipped', reason: 'busy' });
  counts.differed(difference('r1', 'json', 'json', 'status'));
  counts.differed(difference('r2', 'json'));
  const labels = 'rollout="shop",version="canary"';
  assert.deepEqual(await series(registry), [
    `graygate_mirror_diffs_total{${labels},kind="json"} 2`,
    `graygate_mirror_diffs_total{${labels},kind="status"} 1`,
    `graygate_mirror_requests_total{${labels},code="200"} 2`,
    `graygate_mirror_requests_total{${labels},code="timeout"} 1`,
    `graygate_mirror_skipped_total{${labels},reason="busy"} 1`,
  ]);
});

test('the last hundred pairs are kept, the newest first', () => {
  const counts = new MirrorCounts(new Registry());
  for (let i = 0; i < 150; i += 1) counts.differed(difference(`r${i}`, 'json'));
  const kept = counts.recent('shop').map(({ requestId }) => requestId);
  assert.deepEqual([kept.length, kept[0], kept.at(-1)], [100, 'r149', 'r50']);
  assert.deepEqual(counts.recent('other'), []);
});

test('what the policy does not name any more is forgotten', async () => {
  const registry = new Registry();
  const counts = new MirrorCounts(registry);
  counts.mirrored({ ...target, kind: 'answered', code: 200 });
  counts.differed(difference('r1', 'json'));
  counts.keepOnly(new Set(['shop']), new Set(['shop/canary']));
  assert.equal((await series(registry)).length, 2);
  counts.keepOnly(new Set(), new Set());
  assert.deepEqual([await series(registry), counts.recent('shop')], [[], []]);
});
