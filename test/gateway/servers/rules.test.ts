// When a server is put out and taken back in, how many may be tried again at a time: tables of plain numbers.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FailureRun, mayEject } from '../../../src/gateway/servers/failure-run.ts';
import { HealthRun, isGoodStatus } from '../../../src/gateway/servers/health-run.ts';
import { RetryBudget } from '../../../src/gateway/servers/retry-budget.ts';
import { SlowStart } from '../../../src/gateway/servers/slow-start.ts';

const rule = { after: 3, withinMs: 1_000, forMs: 100, maxPercent: 50 };

suite('ejection', () => {
  test('so many failures in a row within the time put a server out', () => {
    const run = new FailureRun();
    assert.deepEqual(
      [0, 500, 1_000].map((atMs) => run.failed(atMs, rule)),
      [false, false, true],
    );
  });

  test('failures that are further apart do not, but the last ones may', () => {
    const run = new FailureRun();
    assert.deepEqual(
      [0, 900, 1_001, 1_800].map((atMs) => run.failed(atMs, rule)),
      [false, false, false, true],
    );
  });

  test('a success in between begins the run anew', () => {
    const run = new FailureRun();
    run.failed(0, rule);
    run.failed(1, rule);
    run.succeeded();
    assert.deepEqual(
      [2, 3, 4].map((atMs) => run.failed(atMs, rule)),
      [false, false, true],
    );
  });

  test('each ejection in a row is longer, up to ten times, and a good time ends the row', () => {
    const run = new FailureRun();
    let nowMs = 0;
    const durations: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      const forMs = run.ejected(nowMs, rule);
      durations.push(forMs);
      nowMs += forMs;
      run.returned(nowMs);
      nowMs += forMs - 1;
    }
    assert.deepEqual(durations, [100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000, 1_000, 1_000]);
    assert.equal(run.ejected(nowMs + 1, rule), 100);
  });

  test('a server that comes back begins without failures', () => {
    const run = new FailureRun();
    for (const atMs of [0, 1, 2]) run.failed(atMs, rule);
    run.ejected(2, rule);
    run.returned(102);
    assert.equal(run.failed(103, rule), false);
  });

  test('no more than the percent of servers may be out', () => {
    const rows: [outCount: number, totalCount: number, maxPercent: number, may: boolean][] = [
      [0, 1, 50, false],
      [0, 2, 50, true],
      [1, 2, 50, false],
      [0, 3, 50, true],
      [1, 3, 50, false],
      [1, 4, 50, true],
      [0, 1, 100, true],
      [2, 3, 100, true],
      [0, 10, 0, false],
      [0, 3, 33.33, false],
      [0, 3, 33.34, true],
    ];
    for (const [outCount, totalCount, maxPercent, may] of rows) {
      assert.equal(mayEject({ outCount, totalCount }, { ...rule, maxPercent }), may, `${outCount} of ${totalCount}`);
    }
  });
});

suite('health', () => {
  const check = { path: '/', everyMs: 1, timeoutMs: 1, unhealthyAfter: 3, healthyAfter: 2 };

  const rows: [what: string, answers: string, states: string][] = [
    ['the first bad answer alone takes a server down', '-', '-'],
    ['after a good one it takes so many bad ones', '+---', '+++-'],
    ['a good one in between begins the count anew', '+--+---', '++++++-'],
    ['a server that is down needs so many good ones', '-++', '--+'],
    ['a bad one in between begins that count anew', '-+-++', '----+'],
  ];
  for (const [what, answers, states] of rows) {
    test(what, () => {
      const run = new HealthRun();
      let seen = '';
      for (const answer of answers) {
        const before = run.isHealthy;
        const isChange = run.checked(answer === '+', check);
        assert.equal(isChange, run.isHealthy !== before);
        seen += run.isHealthy ? '+' : '-';
      }
      assert.equal(seen, states);
    });
  }

  test('2xx and 3xx are good answers', () => {
    assert.deepEqual([199, 200, 204, 302, 399, 400, 404, 500, 503].filter(isGoodStatus), [200, 204, 302, 399]);
  });
});

suite('retry budget', () => {
  test('with little traffic three retries at a time are allowed', () => {
    const budget = new RetryBudget(20);
    budget.entered();
    assert.deepEqual([budget.take(), budget.take(), budget.take(), budget.take()], [true, true, true, false]);
    budget.giveBack();
    assert.equal(budget.take(), true);
  });

  test('with more it is the percent of the requests under way', () => {
    const budget = new RetryBudget(20);
    for (let i = 0; i < 50; i += 1) budget.entered();
    let count = 0;
    while (budget.take()) count += 1;
    assert.equal(count, 10);
    for (let i = 0; i < 10; i += 1) budget.left();
    budget.giveBack();
    budget.giveBack();
    assert.equal(budget.take(), false);
    budget.giveBack();
    assert.equal(budget.take(), true);
  });

  test('a budget of 0 allows none', () => {
    const budget = new RetryBudget(0);
    budget.entered();
    assert.equal(budget.take(), false);
  });
});

suite('slow start', () => {
  test('a tenth first, more in even steps, and at the end all', (context) => {
    context.mock.timers.enable({ apis: ['setInterval'] });
    const slowStart = new SlowStart();
    const ratios: number[] = [];
    slowStart.start(2_000, () => ratios.push(slowStart.ratio));
    assert.equal(slowStart.ratio, 0.1);
    context.mock.timers.tick(1_000);
    assert.ok(Math.abs(slowStart.ratio - 0.55) < 1e-9, `half-way it was ${slowStart.ratio}`);
    context.mock.timers.tick(1_000);
    assert.deepEqual([slowStart.ratio, ratios.length], [1, 20]);
    assert.deepEqual(
      ratios,
      ratios.toSorted((a, b) => a - b),
    );
    context.mock.timers.tick(10_000);
    assert.equal(ratios.length, 20);
  });

  test('without a time all is there at once', () => {
    const slowStart = new SlowStart();
    slowStart.start(0, () => assert.fail('there is nothing to tell'));
    assert.equal(slowStart.ratio, 1);
  });

  test('one that is stopped takes no further step, and one that begins anew begins with a tenth', (context) => {
    context.mock.timers.enable({ apis: ['setInterval'] });
    const slowStart = new SlowStart();
    const ratios: number[] = [];
    slowStart.start(2_000, () => ratios.push(slowStart.ratio));
    context.mock.timers.tick(1_000);
    slowStart.stop();
    assert.deepEqual([slowStart.ratio, ratios.length], [1, 10]);
    context.mock.timers.tick(5_000);
    assert.equal(ratios.length, 10);
    slowStart.start(2_000, () => ratios.push(slowStart.ratio));
    assert.equal(slowStart.ratio, 0.1);
  });
});
