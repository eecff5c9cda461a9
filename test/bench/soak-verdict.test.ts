import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestKind, RequestRecord, Trouble } from '../../bench/soak/record.ts';
import { countFailures, fallenCounters, judgeMemory, wrongSums } from '../../bench/soak/verdict.ts';

function failed(kind: RequestKind, status: number | null = null): RequestRecord {
  return { kind, beganMs: 10_000, endedMs: 11_000, status, failure: status === null ? 'cut' : String(status) };
}

function unexcused(request: RequestRecord, trouble: Trouble, atMs: number): number {
  const [count] = countFailures([request], [{ atMs, trouble, what: '' }]);
  return count!.unexcused;
}

test('a GET is excused only when its worker was killed and nothing was answered', () => {
  assert.equal(unexcused(failed('get'), 'worker killed', 10_500), 0);
  assert.equal(unexcused(failed('get', 502), 'worker killed', 10_500), 1);
  assert.equal(unexcused(failed('get'), 'server killed', 10_500), 1);
  assert.equal(unexcused(failed('get'), 'policy changed', 10_500), 1);
});

test('what a server has begun to take or to answer is excused when a server was killed or stalled meanwhile', () => {
  assert.equal(unexcused(failed('post', 502), 'server killed', 10_500), 0);
  assert.equal(unexcused(failed('download'), 'server stalled', 5_000), 0);
  assert.equal(unexcused(failed('websocket'), 'worker killed', 10_500), 0);
  assert.equal(unexcused(failed('post', 502), 'server killed', 3_000), 1);
  assert.equal(unexcused(failed('post', 502), 'server killed', 11_500), 1);
  assert.equal(unexcused(failed('post', 502), 'bad policy', 10_500), 1);
});

test('failures are counted by what they are, those without an excuse first', () => {
  const requests = [failed('post', 502), failed('post', 502), failed('get'), { ...failed('get'), failure: null }];
  assert.deepEqual(countFailures(requests, [{ atMs: 10_500, trouble: 'server killed', what: '' }]), [
    { failure: 'get: cut', excused: 0, unexcused: 1 },
    { failure: 'post: 502', excused: 2, unexcused: 0 },
  ]);
});

function run(mebibytesAt: (i: number) => number): ReturnType<typeof judgeMemory> {
  const memory = Array.from({ length: 60 }, (_, i) => ({
    atMs: i * 10_000,
    residentBytes: mebibytesAt(i) * 2 ** 20,
  }));
  return judgeMemory(memory);
}

function scrape(changes: Record<string, number> = {}): Map<string, number> {
  const figures = {
    'graygate_requests_total{code="200"}': 90,
    'graygate_requests_total{code="499"}': 10,
    'graygate_requests_total{rollout="",code="400"}': 1,
    'graygate_decisions_total{reason="split"}': 100,
    'graygate_request_duration_seconds_count{version="stable"}': 100,
    'graygate_requests_in_flight{version="stable"}': 0,
  };
  return new Map(Object.entries({ ...figures, ...changes }));
}

test('memory leaks when the last quarter needs clearly more than the second', () => {
  assert.equal(run(() => 300).leaks, false);
  assert.equal(run((i) => (i < 15 ? 100 : 300)).leaks, false, 'warming up is no leak');
  assert.equal(run((i) => 300 + i * 5).leaks, true);
  assert.equal(judgeMemory([]).leaks, false);
});

test('a counter that falls is found, a gauge may', () => {
  const before = new Map([
    ['graygate_requests_total{code="200"}', 5],
    ['graygate_requests_in_flight{}', 5],
    ['graygate_gone_total', 5],
  ]);
  const after = new Map([
    ['graygate_requests_total{code="200"}', 4],
    ['graygate_requests_in_flight{}', 4],
  ]);
  assert.deepEqual(fallenCounters(before, after), ['graygate_requests_total{code="200"} fell from 5 to 4']);
});

test('figures at rest add up', () => {
  const expected = { answered: 90, begun: 100, workersKilled: 0 };
  assert.deepEqual(wrongSums(scrape(), expected), []);
  assert.equal(wrongSums(scrape(), { ...expected, begun: 99 }).length, 1);
  assert.equal(wrongSums(scrape(), { ...expected, answered: 101, begun: 200 }).length, 1);
  assert.equal(wrongSums(scrape(), { answered: 101, begun: 200, workersKilled: 1 }).length, 0);
  assert.equal(wrongSums(scrape({ 'graygate_decisions_total{reason="split"}': 99 }), expected).length, 1);
  assert.equal(wrongSums(scrape({ 'graygate_requests_in_flight{version="stable"}': 1 }), expected).length, 1);
});
