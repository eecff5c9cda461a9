// Outside sources: real servers that answer well, badly, late, far too much or not at all.
import assert from 'node:assert/strict';
import { afterEach, suite, test } from 'node:test';
import { askSource, Sources } from '../../src/controller/sources.ts';
import type { SourceSample } from '../../src/rollout/source-check.ts';
import type { Check, Staging } from '../../src/rollout/staging.ts';
import type { Verdict } from '../../src/rollout/verdict.ts';
import { eventually } from '../support/eventually.ts';
import { stagingOf } from '../support/rollout-machine.ts';
import { openReceiver, type Receiver, withStatus } from './receiver.ts';
import { fields, prometheusCheck, webhookCheck } from './source-checks.ts';

const never = new AbortController().signal;

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function serve(answer: Receiver['answer'] = withStatus(200)): Promise<Receiver> {
  const receiver = await openReceiver();
  receiver.answer = answer;
  cleanUps.push(() => receiver.close());
  return receiver;
}

function withBody(body: string, status = 200): Receiver['answer'] {
  return (response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

/** What Prometheus answers, as JSON. */
function success(resultType: string, result: unknown): Receiver['answer'] {
  return withBody(JSON.stringify({ status: 'success', data: { resultType, result } }));
}

const series = (value: string): object => ({ metric: {}, value: [1_700_000_000, value] });

suite('a query', () => {
  const rows: [string, Receiver['answer'], SourceSample][] = [
    ['a vector of one series is its value', success('vector', [series('0.25')]), { kind: 'value', value: 0.25 }],
    ['a scalar is its value', success('scalar', [1_700_000_000, '12']), { kind: 'value', value: 12 }],
    ['NaN is no number', success('vector', [series('NaN')]), { kind: 'not-a-number' }],
    ['infinity is no number', success('vector', [series('+Inf')]), { kind: 'not-a-number' }],
    ['an empty text is no number', success('vector', [series('')]), { kind: 'not-a-number' }],
    ['no series is no data', success('vector', []), { kind: 'empty' }],
    [
      'several series cannot be read',
      success('vector', [series('1'), series('2')]),
      { kind: 'several', seriesCount: 2 },
    ],
    [
      'a matrix is not a number',
      success('matrix', [{ metric: {}, values: [] }]),
      { kind: 'unusable', detail: 'the query gives a matrix, not a number' },
    ],
    [
      'a series without a value cannot be read',
      success('vector', [{ metric: {} }]),
      { kind: 'unusable', detail: 'the series has no value' },
    ],
    [
      'JSON of something else is no result',
      withBody('{"status":"success"}'),
      { kind: 'unusable', detail: 'the answer is no query result' },
    ],
    ['null is no result', withBody('null'), { kind: 'unusable', detail: 'the answer is no query result' }],
    ['HTML is no JSON', withBody('<html>'), { kind: 'unusable', detail: 'the answer is not JSON' }],
    ['a wrong query is said with its status', withBody('{"status":"error"}', 400), { kind: 'http-error', status: 400 }],
    ['500 is said, whatever comes with it', withBody('x'.repeat(2_000_000), 500), { kind: 'http-error', status: 500 }],
    [
      'a redirect is not followed',
      withStatus(302, { location: 'http://127.0.0.1:1/' }),
      { kind: 'http-error', status: 302 },
    ],
    [
      'an answer of more than a mebibyte is not read',
      withBody(`{"status":"success","padding":"${'x'.repeat(1_048_576)}"}`),
      { kind: 'unusable', detail: 'the answer is larger than 1048576 bytes' },
    ],
    [
      'a connection that is cut is said so',
      (response) => void response.destroy(),
      { kind: 'unusable', detail: 'UND_ERR_SOCKET' },
    ],
  ];
  for (const [sentence, answer, sample] of rows) {
    test(sentence, async () => {
      const { url } = await serve(answer);
      assert.deepEqual(await askSource(prometheusCheck(url), fields, never), sample);
    });
  }

  test('is posted to the address of the policy, with its names filled in and nothing else changed', async () => {
    const receiver = await serve(success('vector', []));
    const query = 'rate(x{v="{{version}}",b="{{ baseline }}",r="{{rollout}}",o="{{other}}"}[5m]) & 灰度';
    for (const url of [receiver.url, `${receiver.url}/`]) {
      await askSource(prometheusCheck(url, { query }), fields, never);
      const { url: path, body } = receiver.received.at(-1)!;
      assert.equal(path, '/hook/api/v1/query');
      assert.equal(
        new URLSearchParams(body).get('query'),
        'rate(x{v="canary",b="stable",r="shop",o="{{other}}"}[5m]) & 灰度',
      );
    }
  });
});

suite('a webhook', () => {
  for (const status of [200, 204, 302, 404, 500, 503]) {
    test(`that answers ${status} is said to have answered ${status}`, async () => {
      const { url } = await serve(withStatus(status, { location: 'http://127.0.0.1:1/' }));
      assert.deepEqual(await askSource(webhookCheck(url), fields, never), { kind: 'answered', status });
    });
  }

  test('is told which versions it is about', async () => {
    const receiver = await serve();
    await askSource(webhookCheck(receiver.url), fields, never);
    const { body, headers } = receiver.received[0]!;
    assert.deepEqual(JSON.parse(body), fields);
    assert.equal(headers['content-type'], 'application/json');
  });

  test('whose answer never ends has answered', async () => {
    const { url } = await serve((response) => void response.writeHead(200).write('x'));
    assert.deepEqual(await askSource(webhookCheck(url), fields, never), { kind: 'answered', status: 200 });
  });
});

for (const check of [prometheusCheck, webhookCheck]) {
  suite(`a source of kind ${check('').metric}`, () => {
    test('that does not answer in time is said to have been too slow', async () => {
      const { url } = await serve(() => undefined);
      const sample = await askSource(check(url, { timeoutMs: 30 }), fields, never);
      assert.deepEqual(sample, { kind: 'timeout', afterMs: 30 });
    });

    test('that refuses connections is said so', async () => {
      const sample = await askSource(check('http://127.0.0.1:1/'), fields, never);
      assert.deepEqual(sample, { kind: 'unusable', detail: 'ECONNREFUSED' });
    });
  });
}

test('a query whose answer stops half-way is too slow, not half read', async () => {
  const { url } = await serve((response) => void response.writeHead(200).write('{"status":"success",'));
  const sample = await askSource(prometheusCheck(url, { timeoutMs: 100 }), fields, never);
  assert.deepEqual(sample, { kind: 'timeout', afterMs: 100 });
});

function policyWith(...checks: Check[]): Staging {
  return stagingOf({}, { checks });
}

function openSources(staging: Staging): Sources {
  const sources = new Sources('shop');
  cleanUps.push(() => sources.close());
  sources.follow(staging);
  return sources;
}

function answers(verdicts: readonly Verdict[]): string[] {
  return verdicts.map(({ answer }) => answer);
}

test('before the first answer there is not enough data, and a source that hangs keeps nobody else waiting', async () => {
  const hanging = await serve(() => undefined);
  const well = await serve();
  const sources = openSources(policyWith(prometheusCheck(hanging.url), webhookCheck(well.url)));
  assert.deepEqual(answers(sources.verdicts()), ['not-enough-data', 'not-enough-data']);
  await eventually('the one that is well', () => answers(sources.verdicts())[1] === 'pass');
  assert.equal(answers(sources.verdicts())[0], 'not-enough-data');
});

test('a source that hangs is asked one question at a time', async () => {
  const hanging = await serve(() => undefined);
  const well = await serve();
  openSources(policyWith(webhookCheck(hanging.url, { everyMs: 1 }), prometheusCheck(well.url, { everyMs: 5 })));
  await eventually('many questions to the other', () => well.received.length > 20);
  assert.equal(hanging.received.length, 1);
});

test('so many bad answers in a row as the policy says fail the check, and one good one passes it', async () => {
  const receiver = await serve(success('vector', [series('0.9')]));
  const sources = openSources(policyWith(prometheusCheck(receiver.url)));
  const [verdict] = await eventually('a failing check', () => {
    const verdicts = sources.verdicts();
    return verdicts[0]?.answer === 'fail' ? verdicts : null;
  });
  assert.match(verdict?.sentence ?? '', /^cpu is 0\.9, above 0\.7, \d+ times in a row$/);
  assert.ok(receiver.received.length >= 3);
  receiver.answer = success('vector', [series('0.1')]);
  await eventually('a passing check', () => answers(sources.verdicts())[0] === 'pass');
});

test('no data is neither a pass nor a fail; an outage is an error', async () => {
  const receiver = await serve(success('vector', [series('NaN')]));
  const sources = openSources(policyWith(prometheusCheck(receiver.url)));
  await eventually('some answers', () => receiver.received.length > 5);
  assert.equal(answers(sources.verdicts())[0], 'not-enough-data');
  receiver.answer = withStatus(503);
  const verdict = await eventually('an outage', () => sources.verdicts().find(({ answer }) => answer === 'error'));
  assert.equal(verdict.evidence.kind, 'source');
});

test('a check that stays as it is keeps what it knows; a changed one, or one for another version, begins anew', async () => {
  const receiver = await serve();
  const check = webhookCheck(receiver.url, { everyMs: 3_600_000 });
  const sources = openSources(policyWith(check));
  await eventually('a pass', () => answers(sources.verdicts())[0] === 'pass');
  receiver.answer = () => undefined;
  sources.follow(policyWith({ ...check }));
  assert.deepEqual(answers(sources.verdicts()), ['pass']);
  sources.follow({ ...policyWith(check), candidates: ['green'] });
  assert.deepEqual(answers(sources.verdicts()), ['not-enough-data']);
  await eventually('a question about the other version', () =>
    receiver.received.some(({ body }) => body.includes('green')),
  );
  receiver.answer = withStatus(200);
  sources.follow({ ...policyWith({ ...check, failures: 2 }), candidates: ['green'] });
  await eventually('another pass', () => answers(sources.verdicts())[0] === 'pass');
  sources.follow(policyWith());
  assert.deepEqual(sources.verdicts(), []);
});

test('sources that begin anew forget what was said, also what is being said, and ask at once', async () => {
  const receiver = await serve(withStatus(418));
  const sources = openSources(policyWith(webhookCheck(receiver.url, { failures: 1, everyMs: 3_600_000 })));
  await eventually('a failing check', () => answers(sources.verdicts())[0] === 'fail');
  receiver.answer = withStatus(200);
  sources.anew();
  assert.deepEqual(answers(sources.verdicts()), ['not-enough-data']);
  await eventually('a passing check', () => answers(sources.verdicts())[0] === 'pass');
});

test('a source that was closed is asked no more', async () => {
  const receiver = await serve();
  const other = await serve();
  const sources = openSources(policyWith(webhookCheck(receiver.url, { everyMs: 1 })));
  await eventually('a question', () => receiver.received.length > 0);
  sources.close();
  const count = receiver.received.length;
  openSources(policyWith(webhookCheck(other.url, { everyMs: 5 })));
  await eventually('many questions to another', () => other.received.length > 20);
  assert.ok(receiver.received.length <= count + 1);
  assert.deepEqual(sources.verdicts(), []);
});

test('each candidate of a fixed split is asked about by itself, in the order of the policy', async () => {
  const receiver = await openReceiver();
  cleanUps.push(() => receiver.close());
  receiver.answer = (response, { body }) => void response.writeHead(body.includes('"version":"c"') ? 418 : 200).end();
  const checks = [
    webhookCheck(receiver.url, { failures: 1 }),
    webhookCheck(receiver.url, { name: 'second', failures: 1 }),
  ];
  const staging = {
    ...policyWith(...checks),
    candidates: ['b', 'c', 'd'] as const,
    split: { b: 10, c: 10 },
    stages: [],
  };
  const sources = openSources(staging);
  await eventually('an answer to every question', () => !answers(sources.verdicts()).includes('not-enough-data'));
  assert.deepEqual(
    sources.verdicts().map(({ check, version, answer }) => `${check} ${version} ${answer}`),
    ['smoke b pass', 'smoke c fail', 'second b pass', 'second c fail'],
  );
  sources.follow({ ...staging, split: { b: 10 } });
  assert.deepEqual(
    sources.verdicts().map(({ version }) => version),
    ['b', 'b'],
  );
});

test('a query that is the same for several candidates is asked once, and its answer is about each of them', async () => {
  const receiver = await serve(success('vector', [series('0.9')]));
  const slow = { everyMs: 3_600_000, failures: 1 };
  const shared = prometheusCheck(receiver.url, { ...slow, query: 'cpu{of="{{rollout}} {{baseline}}"}' });
  const each = prometheusCheck(receiver.url, { ...slow, name: 'each', query: 'cpu{v="{{ version }}"}' });
  const asked = (): string[] =>
    receiver.received.map(({ body }) => new URLSearchParams(body).get('query') ?? '').toSorted();
  const staging = {
    ...policyWith(shared, each),
    candidates: ['b', 'c', 'd'] as const,
    split: { b: 10, c: 10 },
    stages: [],
  };
  const sources = openSources(staging);
  await eventually('every answer', () => answers(sources.verdicts()).every((answer) => answer === 'fail'));
  assert.deepEqual(
    sources.verdicts().map(({ check, version }) => `${check} ${version}`),
    ['cpu b', 'cpu c', 'each b', 'each c'],
  );
  const first = ['cpu{of="shop stable"}', 'cpu{v="b"}', 'cpu{v="c"}'];
  assert.deepEqual(asked(), first);
  sources.follow({ ...staging, split: { b: 10, d: 10 } });
  assert.deepEqual(
    sources.verdicts().map(({ check, version, answer }) => `${check} ${version} ${answer}`),
    ['cpu b fail', 'cpu d fail', 'each b fail', 'each d not-enough-data'],
  );
  await eventually('an answer about d', () => answers(sources.verdicts())[3] === 'fail');
  assert.deepEqual(asked(), [...first, 'cpu{v="d"}'].toSorted(), 'what was known is not asked again');
  sources.anew();
  await eventually('all answers again', () => asked().length === 7);
  assert.equal(asked().filter((query) => query.startsWith('cpu{of')).length, 2);
});
