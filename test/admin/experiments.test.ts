import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import type { ExperimentFigures, Metric } from '../../src/rollout/experiment.ts';
import type { Sample } from '../../src/stats/sample.ts';
import {
  conversion,
  counted,
  dayMs,
  experiment,
  figures,
  orderValue,
  proportion,
  revenue,
} from '../rollout/experiment-report/experiments.ts';
import { type AdminPort, openAdminPort } from './admin-port.ts';

const path = '/api/v1/experiments/shop';

/** Twelve days of conversion, revenue and order value. */
function counts(more: Partial<ExperimentFigures> = {}): ExperimentFigures {
  const orders: Sample = {
    kind: 'ratio',
    userCount: 20_000,
    valueSum: 6e4,
    unitSum: 1_100,
    valueSquares: 5e6,
    unitSquares: 1_300,
    products: 7e4,
  };
  const days = [0, 1, 2].map((day) => ({
    startMs: Date.UTC(2026, 10, 1) + day * dayMs,
    exposed: [(day + 1) * 1_000, (day + 1) * 990],
    metrics: { conversion: [proportion(1_000, 50 + day), proportion(1_000, 60 + day)] },
  }));
  return figures(
    [
      counted(conversion, [proportion(20_000, 1_000), proportion(20_000, 1_300)]),
      counted(revenue, [money(3), money(3.1)]),
      counted(orderValue, [orders, orders], { waiting: [40, 2] }),
    ],
    { days, events: [{ event: 'purchase', count: 2_400, valueSum: 123_456.7 }], ...more },
  );
}

async function observing(
  seen: ExperimentFigures | null = counts(),
  metrics: readonly [Metric, ...Metric[]] = [conversion, revenue, orderValue],
): Promise<AdminPort> {
  const admin = await openAdminPort();
  admin.rooms.experiment = experiment({ metrics });
  admin.rooms.figures = seen;
  return admin;
}

suite('the report of an experiment', () => {
  test('comes as JSON with figures, intervals and a verdict in words', async () => {
    const { ask } = await observing();
    const report = (await ask(path)).json() as { metrics: { comparisons: { sentence: string }[] }[]; decision: object };
    assert.match(report.metrics[0]!.comparisons[0]!.sentence, /^canary is better than stable: 6\.5 % against 5 %/);
    assert.deepEqual(Object.keys(report.decision), ['kind', 'version', 'about', 'sentence']);
  });

  test('comes in the format and the language that are asked for', async () => {
    const { ask } = await observing();
    const rows: [string, Record<string, string>, RegExp, RegExp][] = [
      [path, {}, /^application\/json/, /^\{"rollout":"shop"/],
      [path, { accept: 'text/html,*/*;q=0.8' }, /^text\/html; charset=utf-8$/, /<html lang="en">/],
      [path, { accept: 'text/html', 'accept-language': 'zh-CN,zh;q=0.9' }, /^text\/html/, /<html lang="zh-CN">/],
      [path, { accept: 'text/csv' }, /^text\/csv; charset=utf-8$/, /^\uFEFFrollout,release,as_of,metric/],
      [`${path}?format=json`, { accept: 'text/html' }, /^application\/json/, /^\{/],
      [`${path}?format=html&lang=zh`, {}, /^text\/html/, /实验报告：shop/],
    ];
    for (const [at, headers, type, body] of rows) {
      const reply = await ask(at, { headers });
      assert.match(reply.header('content-type') ?? '', type);
      assert.match(utf8(reply.body), body);
    }
  });

  test('before the first user there is one without figures, and of a release nobody knows there is none', async () => {
    const { ask } = await observing(null);
    const report = (await ask(path)).json() as { versions: { users: number }[]; metrics: { comparisons: unknown[] }[] };
    assert.deepEqual(
      report.versions.map(({ users }) => users),
      [0, 0],
    );
    assert.equal(report.metrics.length, 3);
    assert.match((await ask(`${path}?format=html`)).body, /Not decided/);
    const unknown = await ask(`${path}?release=9.9`);
    assert.equal(unknown.status, 404);
    assert.equal(unknown.json()['code'], 'no-experiment');
  });

  test('as CSV has a line a comparison, quoted, and nothing that a spreadsheet would run', async () => {
    const { ask } = await observing(counts({ release: '=cmd|"x",1', versions: ['＠stable', '旧'] }));
    const body = await textOf(ask, `${path}?format=csv`);
    assert.match(body, /^\uFEFF[^\uFEFF]*,primary,'＠stable,旧,/, 'a spreadsheet knows it as UTF-8');
    const lines = body.split('\r\n');
    assert.equal(lines.length, 5);
    assert.match(lines[1]!, /^shop,"'=cmd\|""x"",1",2\d{3}-/);
    const cells = lines[2]!.split(',').length;
    assert.ok(cells >= lines[0]!.split(',').length);
    assert.match(lines[1]!, /,better,"旧 is better than ＠stable: 6\.5 % against 5 %, \+30 %/);
  });
});

suite('the page of an experiment', () => {
  test('needs nothing but itself: no script, nothing from elsewhere, its own style only', async () => {
    const { ask } = await observing();
    const reply = await ask(`${path}?format=html`);
    const page = utf8(reply.body);
    assert.doesNotMatch(page, /<script|\son\w+=|<link|<img|@import|url\(|src=|style=/);
    assert.doesNotMatch(page, /https?:/);
    const style = /<style>(.*?)<\/style>/s.exec(page)![1]!;
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = reply.header('content-security-policy') ?? '';
    assert.ok(policy.includes(`style-src 'sha256-${hash}'`) && policy.includes(`default-src 'none'`));
  });

  test('draws an interval for each comparison and a line over time where there are days', async () => {
    const { ask } = await observing();
    const body = await textOf(ask, `${path}?format=html`);
    assert.equal(body.match(/<svg class="interval/g)?.length, 3);
    assert.match(body, /<svg class="interval is-better"[^>]*aria-label="\+30 % \(\+[\d.]+ % … \+[\d.]+ %\)"/);
    assert.equal(body.match(/<svg class="time"/g)?.length, 1, 'only conversion has days');
    assert.match(
      body,
      /decide by &quot;Revenue a user: purchase, cap 5,000&quot;, not by this; 42 users whose outcome is not known yet/,
    );
    assert.doesNotMatch(body, /NaN|undefined|Infinity/);
  });

  test('draws a figure that does not move as a level line, however it rounds', async () => {
    const days = [0, 1, 2].map((day) => ({
      startMs: day * dayMs,
      exposed: [100, 100],
      metrics: { conversion: [proportion(1_000, 50), proportion(1e15, 5e13 + (day === 1 ? 1 : 0))] },
    }));
    const { ask } = await observing(counts({ days }));
    const paths = [...(await textOf(ask, `${path}?format=html`)).matchAll(/<path d="M([^"]+)"/g)];
    assert.equal(paths.length, 2);
    for (const [, points] of paths) assert.equal(new Set(points!.split('L').map((one) => one.split(' ')[1])).size, 1);
  });

  test('says first and in red that users do not fall as the split says, in both languages', async () => {
    const { ask } = await observing(
      counts({ phases: [{ beganMs: 0, percents: [50, 50], exposed: [20_000, 18_000] }] }),
    );
    for (const lang of ['en', 'zh']) {
      const body = await textOf(ask, `${path}?format=html&lang=${lang}`);
      const alarm = body.indexOf('<p class="alarm"');
      assert.ok(alarm > 0 && alarm < body.indexOf('<p class="outcome'));
      assert.equal(body.match(/answer is-frozen/g)?.length, 3);
    }
    const sane = await observing();
    assert.equal((await sane.ask(`${path}?format=html`)).body.includes('class="alarm"'), false);
  });

  test('shows names as text, whatever is in them', async () => {
    const evil = '<script>alert("x")</script>';
    const metric = { ...conversion, event: evil };
    const seen = counts({ release: evil, versions: [evil, 'b&c'], events: [{ event: evil, count: 1, valueSum: 1 }] });
    const { ask } = await observing({ ...seen, metrics: [{ ...seen.metrics[0]!, metric }] }, [metric]);
    const body = await textOf(ask, `${path}?format=html`);
    assert.equal(body.includes('<script'), false);
    assert.ok(body.includes('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;') && body.includes('b&amp;c'));
  });
});

/** The test's client reads bodies as bytes. */
function utf8(body: string): string {
  return Buffer.from(body, 'latin1').toString('utf8');
}

async function textOf(ask: AdminPort['ask'], at: string): Promise<string> {
  return utf8((await ask(at)).body);
}

/** What twenty thousand users spent. */
function money(mean: number): Sample {
  return { kind: 'mean', userCount: 20_000, sum: 20_000 * mean, sumOfSquares: 6e6 };
}
