// What is said where the keys of events, experiments, business checks and of who takes part cannot be right.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { shopEvents, split } from './experiment-keys.ts';
import { loadText, shopPolicy } from './policy-folder.ts';

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
