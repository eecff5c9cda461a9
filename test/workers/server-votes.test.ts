import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerReport, ServerState } from '../../src/rollout/server-report.ts';
import { ServerVotes } from '../../src/workers/server-votes.ts';

function ballot() {
  const said: string[] = [];
  const votes = new ServerVotes(({ server, state }) => said.push(`${server} ${state}`));
  const report = (worker: number, state: ServerState, server = 's'): void =>
    votes.report(worker, { rollout: 'shop', version: 'canary', server, address: null, state, reason: null });
  return { said, votes, report };
}

test('a server is out when the last worker puts it out, and in when the first one takes it in', () => {
  const { said, report } = ballot();
  report(1, 'up');
  report(2, 'up');
  report(1, 'ejected');
  assert.deepEqual(said, ['s up']);
  report(2, 'down');
  assert.deepEqual(said, ['s up', 's ejected']);
  report(2, 'slow');
  report(1, 'up');
  assert.deepEqual(said, ['s up', 's ejected', 's slow', 's up']);
});

test('servers are told apart by everything that names them', () => {
  const { said, votes } = ballot();
  const report: ServerReport = {
    rollout: 'shop',
    version: 'canary',
    server: 's',
    address: null,
    state: 'up',
    reason: null,
  };
  votes.report(1, report);
  votes.report(1, { ...report, rollout: 'other' });
  votes.report(1, { ...report, version: 'stable' });
  votes.report(1, { ...report, address: '192.0.2.1' });
  assert.equal(said.length, 4);
});

test('a worker that died has no opinion any more', () => {
  const { said, report, votes } = ballot();
  report(1, 'up');
  report(2, 'ejected');
  votes.forget(1);
  assert.deepEqual(said, ['s up', 's ejected']);
  votes.forget(2);
  assert.deepEqual(said, ['s up', 's ejected', 's gone']);
  report(1, 'up');
  assert.deepEqual(said.at(-1), 's up');
});

test('a server is gone when no worker uses it', () => {
  const { said, report } = ballot();
  report(1, 'up');
  report(2, 'up');
  report(1, 'gone');
  assert.deepEqual(said, ['s up']);
  report(2, 'gone');
  assert.deepEqual(said, ['s up', 's gone']);
});
