// The keys of events, experiments, business checks and of who takes part: what they mean, what is there where nothing is said,
// and what is said where they cannot be right.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { formatProblem } from '../../src/config/problem.ts';
import { placedWarnings } from '../../src/config/warnings.ts';
import type { Rollout } from '../../src/rollout/policy.ts';
import { loadText, policyIn, shopPolicy } from './policy-folder.ts';

type Cleaner = Parameters<typeof policyIn>[0];

const split = '    split: { canary: 10 }\n';
const shopEvents = `    events:
      - { name: view, on: { method: GET, path: /item/ } }
      - { name: purchase, on: { method: [POST, PUT], path: [/orders, /b%75y], status: [2xx, 303] }, value: 'json:$.order.lines[0]["the sum"]' }
      - { name: paid, value: 2.5 }
`;

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

const measured = (metric: string): string => `${shopEvents}    experiment: { metrics: [${metric}] }\n`;
const checked = (check: string): string => `${shopEvents}    analysis: { checks: [${check}] }\n`;
const other = (layer: string): string => `    layer: { name: pay, from: 0, to: 50 }
  - name: other
    versions: { stable: { servers: http://a }, canary: { servers: http://b } }
    split: { canary: 1 }
    layer: ${layer}
`;

const wrong: readonly (readonly [what: string, keys: string, problem: RegExp])[] = [
  [
    'a name that cannot stand in metrics',
    '    events: [{ name: 1st }]\n',
    /events\[0\]\.name: "1st" is not a name for an event/,
  ],
  ['an event twice', '    events: [{ name: a }, { name: a }]\n', /events\[1\]\.name: "a" is a name that is taken/],
  [
    'a status that is none',
    '    events: [{ name: a, on: { status: 6xx } }]\n',
    /on\.status: "6xx" is not a status; write one such as 201/,
  ],
  [
    'a value from nowhere',
    '    events: [{ name: a, value: body:total }]\n',
    /value: "body:total" is not where a value comes from/,
  ],
  ['a value below nothing', '    events: [{ name: a, value: -1 }]\n', /value: -1 is not where a value comes from/],
  [
    'several places for a value',
    '    events: [{ name: a, value: "json:$.items[*].sum" }]\n',
    /names more than one place/,
  ],
  [
    'an unknown event',
    measured('{ metric: conversion, event: purchse }'),
    /metrics\[0\]\.event: "purchse" is not an event; did you mean "purchase"\?/,
  ],
  [
    'an unknown entry',
    measured('{ metric: conversion, event: purchase, of: vieww }'),
    /of: "vieww" is not an event; did you mean "view"\?/,
  ],
  [
    'a check of an unknown event',
    checked('{ metric: value, event: order }'),
    /checks\[0\]\.event: "order" is not an event/,
  ],
  [
    'a sum of what has no value',
    measured('{ metric: revenue, event: view }'),
    /event: "view" is an event without a value; give the event a value/,
  ],
  [
    'a name of two metrics',
    measured('{ metric: retention }, { metric: retention, day: 7 }'),
    /metrics\[1\].*: has the name "retention", which is taken; give it a name of its own/,
  ],
  [
    'a name of a metric and a check',
    `${measured('{ metric: retention }')}    analysis: { checks: [{ metric: retention }] }\n`,
    /metrics\[0\].*: has the name "retention", which a check has; checks are measured too: leave it out, or give it/,
  ],
  [
    'a metric that there is not',
    measured('{ metric: bounce }'),
    /metrics\[0\]\.metric: "bounce" is not known; expected a metric: a mapping with metric: conversion, value, revenue/,
  ],
  [
    'a check that there is not',
    checked('{ metric: cpu }'),
    /checks\[0\]\.metric: "cpu" is not known; expected a check/,
  ],
  [
    'a proof narrower than harm',
    checked('{ metric: conversion, event: purchase, prove: { ratio: 0.99 } }'),
    /checks\[0\]\.prove: is narrower than tolerate/,
  ],
  [
    'a factor above 1',
    checked('{ metric: conversion, event: purchase, tolerate: { ratio: 1.1 } }'),
    /ratio: 1.1 is not a factor above 0 and at most 1/,
  ],
  [
    'a day too far away',
    measured('{ metric: retention, day: 91 }'),
    /day: 91 is out of range; write a day from 1 to 90/,
  ],
  [
    'a window too long',
    measured('{ metric: conversion, event: purchase, window: 92d }'),
    /window: "92d" is out of range/,
  ],
  [
    'an unknown primary metric',
    `${shopEvents}    experiment: { primary: revenu }\n`,
    /primary: "revenu" is not a metric; did you mean "revenue"\?/,
  ],
  [
    'a winner that nothing ever finds',
    `${shopEvents}    experiment: { then: promote-winner }\n`,
    /then: "promote-winner" never comes to pass; say when it ends, with stopWhen/,
  ],
  [
    'records that end too soon',
    `${shopEvents}    experiment: { keep: 7d }\n`,
    /keep: "7d" ends before the longest metric is known; write at least 8d/,
  ],
  [
    'a time zone that there is not',
    '    experiment: { timeZone: Asia/Shenzhen }\n',
    /timeZone: "Asia\/Shenzhen" is not a time zone/,
  ],
  ['a chance that is none', '    experiment: { alpha: 0.5 }\n', /alpha: 0.5 is not a chance above 0 and below 0.5/],
  [
    'an end that is none',
    '    experiment: { stopWhen: never }\n',
    /stopWhen: "never" says nothing that could come; write decided, or a mapping such as/,
  ],
  ['a share that is empty', '    layer: { name: pay, from: 50, to: 50 }\n', /layer\.to: 50 is not above from/],
  [
    'shares that overlap',
    other('{ name: pay, from: 49.99, to: 100 }'),
    /rollouts\[1\]\.layer\.from: 49.99 overlaps another share of the layer "pay"; "shop" has 0 to 50 percent of it/,
  ],
  [
    'an exclusion by an unverified claim',
    '    exclude: [{ jwt: { role: monitor } }]\n',
    /exclude\[0\]\.jwt: needs user\.jwt, which is missing/,
  ],
  ['an exclusion of nothing', '    exclude: [{}]\n', /exclude\[0\]: has no condition/],
  [
    'a file of users that is missing',
    '    exclude: [{ user: { file: bots.txt } }]\n',
    /exclude\[0\]\.user\.file: "bots.txt" cannot be read: no such file/,
  ],
];

suite('a policy is refused for', () => {
  for (const [what, keys, problem] of wrong) {
    test(what, async (t) => {
      const { lines } = await loadText(t, shopPolicy(split + keys));
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0]!, problem);
    });
  }
});

test('shares of a layer that touch, and overlapping ones of two layers, are fine', async (t) => {
  for (const layer of ['{ name: pay, from: 50, to: 100 }', '{ name: search, from: 0, to: 100 }']) {
    assert.deepEqual((await loadText(t, shopPolicy(split + other(layer)))).lines, []);
  }
});

test('a primary metric may be one of the usual ones', async (t) => {
  const { experiment } = await shopIn(t, `${shopEvents}    experiment: { primary: view-events }\n`);
  assert.equal(experiment?.metrics[0].name, 'view-events');
});
