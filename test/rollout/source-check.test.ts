import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { addSample, judgeSource, noSamples } from '../../src/rollout/source-check.ts';
import type { SourceCheck, SourceSample } from '../../src/rollout/source-check.ts';
import type { PrometheusCheck, WebhookCheck } from '../../src/rollout/staging.ts';
import { isCalm, isOutage } from '../../src/rollout/verdict.ts';
import type { Verdict } from '../../src/rollout/verdict.ts';

const asked = { role: 'guard', everyMs: 30_000, timeoutMs: 5_000, failures: 3 } as const;
const cpu: PrometheusCheck = {
  ...asked,
  name: 'cpu',
  metric: 'prometheus',
  url: 'http://prom:9090',
  query: 'cpu',
  min: 0.1,
  max: 0.7,
};
const smoke: WebhookCheck = { ...asked, name: 'smoke', metric: 'webhook', url: 'http://ci/smoke' };

const value = (number: number): SourceSample => ({ kind: 'value', value: number });
const answered = (status: number): SourceSample => ({ kind: 'answered', status });
const timeout: SourceSample = { kind: 'timeout', afterMs: 5_000 };
const refused: SourceSample = { kind: 'unusable', detail: 'the connection was refused' };

function judge(check: SourceCheck, ...samples: SourceSample[]): Verdict {
  return judgeSource(
    check,
    samples.reduce((history, sample) => addSample(check, history, sample), noSamples),
    'canary',
  );
}

const rows: [string, SourceCheck, SourceSample[], Verdict['answer'], string][] = [
  ['nothing asked yet', cpu, [], 'not-enough-data', 'cpu has not been asked yet'],
  ['a value inside the limits', cpu, [value(0.41)], 'pass', 'cpu is 0.41, inside its limits'],
  ['a value at the limit', cpu, [value(0.7)], 'pass', 'cpu is 0.7, inside its limits'],
  ['a value above', cpu, [value(0.8321)], 'not-enough-data', 'cpu is 0.8321, above 0.7 (1 of 3 in a row)'],
  ['three values above', cpu, [value(0.8), value(0.9), value(0.8)], 'fail', 'cpu is 0.8, above 0.7, 3 times in a row'],
  ['three values below', cpu, [value(0), value(-1), value(0.05)], 'fail', 'cpu is 0.05, below 0.1, 3 times in a row'],
  [
    'a good value between',
    cpu,
    [value(0.8), value(0.9), value(0.5), value(0.8)],
    'not-enough-data',
    'cpu is 0.8, above 0.7 (1 of 3 in a row)',
  ],
  [
    'no data between',
    cpu,
    [value(0.8), value(0.9), { kind: 'empty' }, value(0.8)],
    'fail',
    'cpu is 0.8, above 0.7, 3 times in a row',
  ],
  [
    'an error between',
    cpu,
    [value(0.8), value(0.9), timeout, value(0.8)],
    'fail',
    'cpu is 0.8, above 0.7, 3 times in a row',
  ],
  [
    'NaN, however often',
    cpu,
    Array.from({ length: 9 }, () => ({ kind: 'not-a-number' }) as const),
    'not-enough-data',
    'cpu has no finite number now',
  ],
  ['NaN as a value', cpu, [value(NaN)], 'not-enough-data', 'cpu has no finite number now'],
  [
    'an infinite value',
    cpu,
    [value(Infinity), value(Infinity), value(Infinity)],
    'not-enough-data',
    'cpu has no finite number now',
  ],
  ['an empty result', cpu, [{ kind: 'empty' }], 'not-enough-data', 'cpu has no data: the query found nothing'],
  [
    'several series',
    cpu,
    [{ kind: 'several', seriesCount: 3 }],
    'error',
    'cpu cannot be read: the query found 3 series where one is expected',
  ],
  ['a time-out', cpu, [timeout], 'error', 'cpu did not answer within 5 s'],
  [
    'time-outs',
    cpu,
    [value(0.5), timeout, timeout, timeout],
    'error',
    'cpu did not answer within 5 s, 3 times in a row',
  ],
  [
    'a source that answers 500',
    cpu,
    [{ kind: 'http-error', status: 500 }],
    'error',
    'cpu cannot be read: its source answered 500',
  ],
  ['a source that is away', cpu, [refused], 'error', 'cpu cannot be read: the connection was refused'],
  ['a webhook that says yes', smoke, [answered(204)], 'pass', 'smoke answered 204'],
  [
    'a webhook that says no',
    smoke,
    [answered(417), answered(500), answered(404)],
    'fail',
    'smoke answered 404, 3 times in a row',
  ],
  [
    'a webhook that nobody is behind',
    smoke,
    [answered(503), answered(502), answered(504)],
    'error',
    'smoke answered 504, 3 times in a row',
  ],
  ['a webhook that is asked too often', smoke, [answered(429)], 'error', 'smoke answered 429'],
  ['a webhook that moved', smoke, [answered(302)], 'error', 'smoke answered 302'],
  ['a webhook that is slow', smoke, [timeout], 'error', 'smoke did not answer within 5 s'],
];

for (const [name, check, samples, answer, sentence] of rows) {
  test(`${name}: ${answer}`, () => {
    const verdict = judge(check, ...samples);
    assert.deepEqual([verdict.answer, verdict.sentence], [answer, sentence]);
    assert.deepEqual(JSON.parse(JSON.stringify(verdict)), verdict);
  });
}

test('a check with one limit has only that one', () => {
  assert.equal(judge({ ...cpu, min: null }, value(-1e9)).answer, 'pass');
  assert.equal(judge({ ...cpu, max: null }, value(1e9)).answer, 'pass');
});

test('one bad answer is enough where failures is 1', () => {
  assert.equal(judge({ ...smoke, failures: 1 }, answered(500)).answer, 'fail');
});

test('after a breach the guard is not calm until a good sample, whatever comes between', () => {
  assert.equal(isCalm(judge(cpu, value(0.9), { kind: 'empty' })), false);
  assert.equal(isCalm(judge(cpu, value(0.9), { kind: 'empty' }, value(0.5))), true);
});

test('errors in a row are an outage from the number on that fails the check', () => {
  assert.deepEqual([judge(cpu, timeout, timeout), judge(cpu, timeout, refused, timeout)].map(isOutage), [false, true]);
  assert.equal(
    isOutage(judge(cpu, timeout, timeout, { kind: 'empty' }, timeout)),
    false,
    'a source that answers is not out',
  );
});

test('no data and errors alone never fail and never pass a check', () => {
  const silent = fc.constantFrom<SourceSample>(
    { kind: 'empty' },
    { kind: 'not-a-number' },
    timeout,
    refused,
    value(NaN),
    { kind: 'several', seriesCount: 2 },
  );
  fc.assert(
    fc.property(fc.array(silent), fc.constantFrom<SourceCheck>(cpu, smoke), (samples, check) => {
      assert.ok(['not-enough-data', 'error'].includes(judge(check, ...samples).answer));
    }),
    { seed: 7 },
  );
});
