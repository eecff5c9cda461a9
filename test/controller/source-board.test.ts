// The sources of several rollouts: each is asked while the policy names it, and no longer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SourceBoard } from '../../src/controller/source-board.ts';
import type { Rollout } from '../../src/rollout/policy.ts';
import type { WebhookCheck } from '../../src/rollout/staging.ts';
import { eventually } from '../support/eventually.ts';
import { rolloutOf } from '../support/policies.ts';
import { startUpstream } from '../support/serving.ts';

function watchedRollout(name: string, url: string): Rollout {
  const versions = { stable: { servers: ['http://127.0.0.1:1'] }, canary: { servers: ['http://127.0.0.1:2'] } };
  const rollout = rolloutOf({ name, versions });
  const smoke: WebhookCheck = {
    name: 'smoke',
    role: 'guard',
    metric: 'webhook',
    url: `${url}/${name}`,
    everyMs: 10,
    timeoutMs: 5_000,
    failures: 1,
  };
  return { ...rollout, staging: { ...rollout.staging, analysis: { ...rollout.staging.analysis, checks: [smoke] } } };
}

test('each rollout has the verdicts of its own sources, and one that is gone is asked no more', async (t) => {
  const asked: string[] = [];
  const { url } = await startUpstream(t, (request, response) => {
    asked.push(String(request.url));
    response.statusCode = request.url === '/shop' ? 200 : 500;
    response.end();
  });
  const board = new SourceBoard();
  t.after(() => board.close());
  board.follow([watchedRollout('shop', url), watchedRollout('search', url)]);
  const answersOf = (rollout: string) => board.verdicts(rollout).map(({ answer }) => answer);
  await eventually('both to have answered', () => answersOf('shop')[0] === 'pass' && answersOf('search')[0] === 'fail');
  board.anew('search');
  assert.notDeepEqual(answersOf('search'), ['pass']);
  board.follow([watchedRollout('shop', url)]);
  assert.deepEqual(board.verdicts('search'), []);
  const before = asked.length;
  await eventually('more of the other', () => asked.slice(before).filter((path) => path === '/shop').length > 20);
  assert.ok(
    asked.slice(before).filter((path) => path === '/search').length <= 1,
    'a request under way may still arrive',
  );
});
