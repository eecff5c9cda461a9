// The counters of what users did: by rollout, version and event, and gone with their rollout.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { parseSamples } from '../support/metric-samples.ts';
import { policyOf, rolloutOf } from '../support/policies.ts';
import { layOutSplit } from '../../src/rollout/split.ts';

const versions = { stable: { servers: ['http://a'] }, canary: { servers: ['http://b'] } };
const shop = rolloutOf({ versions });

function metricsOf(): Metrics {
  const split = layOutSplit(shop.versions, shop.split);
  return new Metrics({ splitOf: () => split, standings: () => [], isStoreWell: () => true }, 'test');
}

async function samplesOf(metrics: Metrics): Promise<string[]> {
  const { text } = await metrics.render('');
  return parseSamples(text)
    .filter(({ name }) => name.startsWith('graygate_event'))
    .map(({ name, labels, value }) => `${name} ${Object.values(labels).join(' ')} ${value}`)
    .toSorted();
}

test('counts and values add up by version and event, also those of users without a version', async () => {
  const metrics = metricsOf();
  const purchase = { rollout: 'shop', event: 'purchase' };
  metrics.events.counted({ ...purchase, version: 'canary', count: 2, valueSum: 12.5 });
  metrics.events.counted({ ...purchase, version: 'canary', count: 1, valueSum: 0 });
  metrics.events.counted({ ...purchase, version: null, count: 4, valueSum: 1 });
  metrics.events.unread({ ...purchase, reason: 'absent' });
  assert.deepEqual(await samplesOf(metrics), [
    'graygate_event_value_total shop  purchase 1',
    'graygate_event_value_total shop canary purchase 12.5',
    'graygate_events_total shop  purchase 4',
    'graygate_events_total shop canary purchase 3',
    'graygate_events_unread_total shop purchase absent 1',
  ]);
});

test('the series of a rollout that the policy does not name any more vanish', async () => {
  const metrics = metricsOf();
  for (const rollout of ['shop', 'old']) {
    metrics.events.counted({ rollout, event: 'view', version: 'stable', count: 1, valueSum: 0 });
    metrics.events.unread({ rollout, event: 'view', reason: 'busy' });
  }
  metrics.policyLoaded(policyOf({ rollouts: [shop] }), 0, true);
  assert.deepEqual(await samplesOf(metrics), [
    'graygate_event_value_total shop stable view 0',
    'graygate_events_total shop stable view 1',
    'graygate_events_unread_total shop view busy 1',
  ]);
});

test('what is dropped is counted without labels, from 0 on', async () => {
  const metrics = metricsOf();
  const dropped = async (): Promise<string[]> =>
    (await metrics.render('')).text
      .split('\n')
      .filter((line) => line.startsWith('graygate_observations_dropped_total'));
  assert.deepEqual(await dropped(), ['graygate_observations_dropped_total 0']);
  metrics.events.dropped(3);
  metrics.events.dropped(2);
  assert.deepEqual(await dropped(), ['graygate_observations_dropped_total 5']);
});
