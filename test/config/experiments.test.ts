// The keys of events, experiments, business checks and of who takes part: what they mean, and what is there where nothing is said.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { formatProblem } from '../../src/config/problem.ts';
import { placedWarnings } from '../../src/config/warnings.ts';
import type { Rollout } from '../../src/rollout/policy.ts';
import { shopEvents, split } from './experiment-keys.ts';
import { loadText, policyIn, shopPolicy } from './policy-folder.ts';

type Cleaner = Parameters<typeof policyIn>[0];

async function shopIn(t: Cleaner, keys: string, top = ''): Promise<Rollout> {
  return (await policyIn(t, shopPolicy(split + keys, top))).rollouts[0]!;
}

suite('events', () => {
  test('are read with all they say', async (t) => {
    const { events } = await shopIn(t, shopEvents);
    const ok = { from: 200, to: 299 };
    assert.deepEqual(events, [
      {
        name: 'view',
        fromTraffic: true,
        methods: ['GET'],
        paths: ['/item'],
        statuses: [ok],
        headers: [],
        value: { kind: 'constant', value: 0 },
      },
      {
        name: 'purchase',
        fromTraffic: true,
        methods: ['POST', 'PUT'],
        paths: ['/orders', '/buy'],
        statuses: [ok, { from: 303, to: 303 }],
        headers: [],
        value: { kind: 'json', path: ['order', 'lines', '0', 'the sum'] },
      },
      {
        name: 'paid',
        fromTraffic: false,
        methods: [],
        paths: [],
        statuses: [],
        headers: [],
        value: { kind: 'constant', value: 2.5 },
      },
    ]);
  });

  test('take their value from where they say, and match headers', async (t) => {
    const { events } = await shopIn(
      t,
      `    events:
      - { name: a, on: { header: { X-App: [ios, 深圳] } }, value: header:X-Amount }
      - { name: b, on: {}, value: query:金额 }
`,
    );
    assert.deepEqual(events[0]?.value, { kind: 'header', name: 'x-amount' });
    const bytes = Buffer.from('深圳').toString('latin1');
    assert.deepEqual(events[0]?.headers, [
      { name: 'x-app', matches: { kind: 'any-of', values: new Set(['ios', bytes]) } },
    ]);
    assert.deepEqual(events[1]?.value, { kind: 'query', name: Buffer.from('金额').toString('latin1') });
  });
});

/** An experiment with every key. */
const full = (primary: string): string => `${shopEvents}    experiment:
      primary: ${primary}
      metrics:
        - { metric: conversion, event: purchase, of: view, window: 2h }
        - { name: revenue capped, metric: revenue, event: purchase, cap: 500 }
        - { name: often, metric: events, event: view }
        - { name: events, metric: retention, day: 3 }
      alpha: 0.1
      users: 20000
      least: 14d
      stopWhen: { after: 28d }
      then: promote-winner
      keep: 60d
      timeZone: asia/shanghai
`;

suite('an experiment', () => {
  test('is null where there is nothing to compare by', async (t) => {
    assert.equal((await shopIn(t, '')).experiment, null);
  });

  test('measures the usual things of every event where nothing is said, conversion to value first', async (t) => {
    const { experiment } = await shopIn(t, shopEvents);
    assert.deepEqual(
      experiment?.metrics.map(({ name }) => name),
      [
        ...['conversion', 'value', 'revenue', 'events'].map((kind) => `purchase-${kind}`),
        ...['conversion', 'value', 'revenue', 'events'].map((kind) => `paid-${kind}`),
        ...['conversion', 'events'].map((kind) => `view-${kind}`),
        'retention-day-1',
        'retention-day-7',
      ],
    );
    const { metrics: _metrics, ...rest } = experiment ?? { metrics: [] };
    assert.deepEqual(rest, {
      alpha: 0.05,
      expectedUserCount: null,
      leastMs: 7 * 86_400_000,
      stopWhen: null,
      then: 'report',
      keepMs: 30 * 86_400_000,
      timeZone: 'UTC',
    });
  });

  test('measures what it lists, its primary metric first, by its name before its kind', async (t) => {
    const { experiment } = await shopIn(t, full('revenue'));
    assert.deepEqual(experiment, {
      metrics: [
        { kind: 'revenue', name: 'revenue capped', event: 'purchase', cap: 500 },
        { kind: 'conversion', name: 'conversion', event: 'purchase', of: 'view', windowMs: 7_200_000 },
        { kind: 'events', name: 'often', event: 'view' },
        { kind: 'retention', name: 'events', day: 3 },
      ],
      alpha: 0.1,
      expectedUserCount: 20_000,
      leastMs: 14 * 86_400_000,
      stopWhen: { kind: 'after', afterMs: 28 * 86_400_000 },
      then: 'promote-winner',
      keepMs: 60 * 86_400_000,
      timeZone: 'Asia/Shanghai',
    });
    assert.equal((await shopIn(t, full('events'))).experiment?.metrics[0].kind, 'retention');
  });

  test('has the revenue a user beside each order value, once', async (t) => {
    const metricsOf = async (listed: string) => {
      const { experiment } = await shopIn(t, `${shopEvents}    experiment: { metrics: [${listed}] }\n`);
      return experiment!.metrics.map(({ kind, name }) => `${kind} ${name}`);
    };
    const value = '{ metric: value, event: purchase, cap: 500 }';
    assert.deepEqual(await metricsOf(value), ['value value', 'revenue value-revenue']);
    const both = `${value}, { metric: revenue, event: purchase }`;
    assert.deepEqual(await metricsOf(both), ['value value', 'revenue revenue']);
  });

  test('has the business checks among its metrics, none twice', async (t) => {
    const { experiment, staging } = await shopIn(
      t,
      `${shopEvents}    analysis:
      checks:
        - { metric: conversion, event: purchase, role: signal }
        - { name: order value, metric: value, event: purchase, cap: 5000, tolerate: { ratio: 0.9 }, prove: { ratio: 0.8 } }
        - { metric: retention, day: 7 }
`,
    );
    const [conversion, value, retention] = staging.analysis.checks;
    assert.deepEqual(conversion, {
      name: 'conversion',
      metric: 'conversion',
      role: 'signal',
      measure: { kind: 'conversion', name: 'conversion', event: 'purchase', of: null, windowMs: 86_400_000 },
      tolerate: { ratio: 0.95 },
      prove: null,
    });
    assert.deepEqual(value, {
      name: 'order value',
      metric: 'value',
      role: 'guard',
      measure: { kind: 'value', name: 'order value', event: 'purchase', cap: 5_000 },
      tolerate: { ratio: 0.9 },
      prove: { ratio: 0.8 },
    });
    assert.deepEqual((retention as typeof conversion & { measure: unknown }).measure, {
      kind: 'retention',
      name: 'retention',
      day: 7,
    });
    const names = experiment!.metrics.map(({ name }) => name);
    assert.deepEqual(names.slice(0, 3), ['conversion', 'order value', 'retention']);
    assert.deepEqual(
      names.filter((name) => ['purchase-conversion', 'retention-day-7'].includes(name)),
      [],
    );
  });
});

/** Two rollouts that share a layer, the first with a salt of its own, and a holdout that only the first respects. */
function layered(salt: string): string {
  const versions = 'versions: { stable: { servers: http://a }, canary: { servers: http://b } }';
  return `version: 1
listen: 127.0.0.1:0
holdout: 10
rollouts:
  - name: shop
    match: { path: /shop }
    salt: ${salt}
    ${versions}
    split: { canary: 1 }
    layer: { name: pay, from: 50, to: 100 }
  - name: other
    ${versions}
    split: { canary: 1 }
    layer: { name: pay, from: 0, to: 50 }
    holdout: false
`;
}

suite('who takes part', () => {
  test('is read: exclusions, the share of a layer, the holdout of all rollouts but those that say no', async (t) => {
    const rollout = await shopIn(
      t,
      `    exclude: [{ header: { User-Agent: { contains: bot } }, method: GET }, { path: /health }]
    layer: { name: checkout, from: 0, to: "12.5%" }
`,
      'holdout: { percent: 2, salt: 深圳 }\n',
    );
    assert.deepEqual(rollout.exclude, [
      [
        { on: 'method', matches: { kind: 'any-of', values: new Set(['GET']) } },
        { on: 'header', name: 'user-agent', matches: { kind: 'contains', text: 'bot' } },
      ],
      [{ on: 'path', prefixes: ['/health'] }],
    ]);
    assert.deepEqual(rollout.layer, { name: 'checkout', salt: 'checkout', fromPercent: 0, toPercent: 12.5 });
    assert.deepEqual(rollout.holdout, { salt: Buffer.from('深圳').toString('latin1'), percent: 2 });
    assert.deepEqual((await shopIn(t, '', 'holdout: 5\n')).holdout, { salt: 'holdout', percent: 5 });
    assert.equal((await shopIn(t, '    holdout: false\n', 'holdout: 5\n')).holdout, null);
    assert.equal((await shopIn(t, '')).holdout, null);
  });

  test('is warned about where a layer has one rollout only', async (t) => {
    const { result } = await loadText(t, shopPolicy(`${split}    layer: { name: checkuot, from: 0, to: 50 }\n`));
    assert.ok(result.ok);
    const lines = placedWarnings(result).map(formatProblem);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /rollouts\[0\]\.layer\.name: "checkuot" is a layer of this rollout alone; write the name/);
  });

  const everyone =
    'holds everyone out, so nobody can enter "shop" but by a rule with use; write less, such as 5, or holdout: false in a rollout that is to go on';
  const rows: readonly (readonly [name: string, content: string, warning: string | null])[] = [
    ['a holdout of everyone', shopPolicy(split, 'holdout: 100\n'), `:3:10: holdout: 100 ${everyone}`],
    [
      'a holdout of everyone as a mapping',
      shopPolicy(split, 'holdout:\n  salt: x\n  percent: "100%"\n'),
      `:4:3: holdout: ${everyone}`,
    ],
    ['a holdout of nearly everyone', shopPolicy(split, 'holdout: 99.99\n'), null],
    ['a holdout that no rollout respects', shopPolicy(`${split}    holdout: false\n`, 'holdout: 100\n'), null],
    ['a salt of its own', layered('pay'), null],
    [
      "the salt of the rollout's layer",
      layered('layer:pay'),
      `:7:11: rollouts[0].salt: "layer:pay" is what the hash of its layer begins with, so a candidate may get nobody, or everyone who enters; leave salt out: it is the rollout's name then`,
    ],
    ['the salt of another layer', layered('layer:buy'), null],
    [
      'the salt of the holdout',
      layered('holdout:holdout'),
      `:7:11: rollouts[0].salt: "holdout:holdout" is what the hash of the holdout begins with, so a candidate may get nobody, or everyone who enters; leave salt out: it is the rollout's name then`,
    ],
  ];
  for (const [name, content, warning] of rows)
    test(`by which nobody may enter: ${name}`, async (t) => {
      const { result, lines } = await loadText(t, content);
      assert.ok(result.ok, lines.join('\n'));
      const found = placedWarnings(result).map(formatProblem);
      assert.deepEqual(
        found.map((line) => line.slice(line.lastIndexOf('p.yaml') + 6)),
        warning === null ? [] : [warning],
      );
    });
});

test('an experiment that may decide within a part of a week, or ends before it may decide, is warned about', async (t) => {
  const warningsOf = async (keys: string) => {
    const { result } = await loadText(t, shopPolicy(`${split}${shopEvents}    experiment: { ${keys} }\n`));
    assert.ok(result.ok);
    return placedWarnings(result).map(formatProblem);
  };
  assert.deepEqual(await warningsOf('least: 14d, stopWhen: { after: 14d }'), []);
  assert.deepEqual(await warningsOf('stopWhen: decided'), []);
  const [part, ...none] = await warningsOf('least: 10d');
  assert.match(part!, /experiment\.least: .*"10d" is not a number of whole weeks; weekdays differ: write 7d or 14d$/);
  assert.deepEqual(none, []);
  assert.match((await warningsOf('least: 0s'))[0]!, /is not a number of whole weeks/);
  const [soon] = await warningsOf('stopWhen: { after: 3d }');
  assert.match(
    soon!,
    /stopWhen\.after: .*ends the experiment before least \(7 d\), so nothing can be decided; write more/,
  );
});

test('a primary metric may be one of the usual ones', async (t) => {
  const { experiment } = await shopIn(t, `${shopEvents}    experiment: { primary: view-events }\n`);
  assert.equal(experiment?.metrics[0].name, 'view-events');
});
