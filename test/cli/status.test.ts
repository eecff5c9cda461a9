// `graygate status` and the actions on a real gateway whose rollouts move.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ShownRollout } from '../../src/admin/contract.ts';
import { eventually } from '../support/eventually.ts';
import { run } from '../support/run.ts';
import { serve, type Serving, startUpstream, temporaryFolder } from '../support/serving.ts';
import { runVerb, startVerb } from './terminal.ts';

const oneHour = '[{ name: small, percent: 5, hold: 1h }, { name: 一半, percent: 50, hold: 1h }]';

test('every action is done, told with its sentence and refused where the phase does not allow it', async (t) => {
  const gateway = await serveStaged(t, { stages: oneHour });
  const act = actOn(gateway);
  const acted: [verb: string, said: RegExp][] = [
    ['advance', /^shop: canary goes from 5 % to 50 % \(stage 一半\).* \(progressing, 50 %, revision 2\)\n$/],
    ['step-back', /^shop: canary steps back from 50 % to 5 % \(stage small\).* \(progressing, 5 %, revision 3\)\n$/],
    ['pause', /^shop: canary is paused at 5 %.*: 因为 \(paused, 5 %, revision 4\)\n$/],
    ['resume', /^shop: canary goes on at 5 %/],
    ['rollback', /^shop: canary is rolled back from 5 %.* \(rolled-back, 0 %, revision 6\)\n$/],
    ['retry', /^shop: release 2 is tried again/],
    ['promote', /^shop: canary goes from 5 % to 100 % \(promoted\)/],
  ];
  for (const [verb, said] of acted) {
    const { code, stdout, stderr } = await act(verb);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, said);
  }
  for (const verb of ['approve', 'resume', 'pause']) {
    const { code, stdout, stderr } = await act(verb);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, new RegExp(`^graygate: cannot ${verb}: the rollout is promoted, and this needs `));
  }
});

test('an action with a revision is refused on a stale screen, and one with the same key is done once', async (t) => {
  const gateway = await serveStaged(t, { stages: oneHour });
  const act = actOn(gateway);
  assert.equal((await act('pause', '--revision', '1', '--key', 'k-1')).code, 0);
  const again = await act('pause', '--revision', '1', '--key', 'k-1', '--json');
  assert.equal(again.code, 0);
  assert.equal((JSON.parse(again.stdout) as ShownRollout).revision, 2);
  const stale = await act('resume', '--revision', '1');
  assert.deepEqual([stale.code, stale.stdout], [1, '']);
  assert.match(stale.stderr, /^graygate: the rollout is at revision 2 now, not at 1\n$/);
});

test('real processes end with the exit codes that scripts rely on', async (t) => {
  const gateway = await serveStaged(t, { stages: oneHour });
  const env = { ...process.env, GRAYGATE_URL: gateway.adminUrl };
  const graygate = (...args: string[]) => run(process.execPath, ['bin/graygate.js', ...args], { env });
  const status = await graygate('status');
  assert.deepEqual([status.code, status.stderr], [0, '']);
  assert.match(status.stdout, /^shop {3}progressing · small \(1 of 2\) · 5 % on canary · release 2 · revision 1\n/);
  assert.match(status.stdout, /\nnow {5}\S/);
  assert.match(status.stdout, /\ncheck +role +verdict\nerror-rate +guard +not enough data/);
  assert.ok(!status.stdout.includes('\x1b'));
  const unknown = await graygate('status', 'cart');
  assert.deepEqual([unknown.code, unknown.stderr], [1, 'graygate: there is no rollout "cart"\n']);
  assert.equal((await graygate('rollback', 'shop', '--reason', 'x')).code, 0);
  assert.equal((await graygate('rollback', 'shop', '--reason', 'x')).code, 1);
  assert.equal((await graygate('rollback', 'shop')).code, 2);
  assert.equal((await graygate('status', 'shop', '--wait')).code, 1);
});

test('with a token only who has it may look, and only an operator may act', async (t) => {
  const tokens =
    '[{ name: eyes, role: viewer, token: 0123456789abcdef-eyes }, { name: 手, role: operator, token: 0123456789abcdef-hand }]';
  const gateway = await serveStaged(t, { stages: oneHour, admin: `, tokens: ${tokens}` });
  const look = (token: string) => runVerb(['status', '--url', gateway.adminUrl, '--token', token]);
  assert.match((await look('')).stderr, /give one with GRAYGATE_TOKEN or --token/);
  assert.equal((await look('0123456789abcdef-eyes')).code, 0);
  const act = actOn(gateway);
  assert.equal((await act('pause', '--token', '0123456789abcdef-eyes')).code, 1);
  const done = await act('pause', '--token', '0123456789abcdef-hand');
  assert.match(done.stdout, /^shop: canary is paused at 5 %, by 手: 因为/);
});

test('--json gives what the API gives: one rollout by name, else all', async (t) => {
  const gateway = await serveStaged(t, { stages: oneHour });
  const one = await runVerb(['status', 'shop', '--json', '--url', gateway.adminUrl]);
  assert.equal((JSON.parse(one.stdout) as ShownRollout).state?.stage.name, 'small');
  const all = await runVerb(['status', '--json', '--url', gateway.adminUrl]);
  assert.deepEqual(
    (JSON.parse(all.stdout) as { rollouts: ShownRollout[] }).rollouts.map(({ name }) => name),
    ['shop'],
  );
});

test('several rollouts are a table, and waiting needs one that is named and can end', async (t) => {
  const fixed = `
  - name: cart
    match: { path: /cart }
    versions: { stable: { servers: ["http://127.0.0.1:1"] }, canary: { servers: ["http://127.0.0.1:2"] } }
    split: { canary: 10 }`;
  const gateway = await serveStaged(t, { stages: oneHour, before: fixed });
  const table = await runVerb(['status', '--url', gateway.adminUrl]);
  assert.match(table.stdout, /^rollout +phase +stage +percent/);
  assert.match(table.stdout, /\ncart +steady +split +10 %/);
  assert.match(table.stdout, /\nshop +progressing +small \(1 of 2\) +5 %/);
  const unnamed = await runVerb(['status', '--wait', '--url', gateway.adminUrl]);
  assert.deepEqual(unnamed, {
    code: 2,
    stdout: '',
    stderr: 'graygate: expected the rollout to wait for, one of cart, shop\n',
  });
  const steady = await runVerb(['status', 'cart', '--wait', '--url', gateway.adminUrl]);
  assert.equal(steady.code, 2);
  assert.match(steady.stderr, /cart has a fixed split, which has no end to wait for/);
});

test('--watch on a pipe prints where it stands and a line for each change, also for two at a time', async (t) => {
  const gateway = await serveStaged(t, { stages: oneHour });
  const act = actOn(gateway);
  const watching = startVerb(['status', '--watch', '--url', gateway.adminUrl]);
  const asJson = startVerb(['status', 'shop', '--watch', '--json', '--url', gateway.adminUrl]);
  await eventually('the first look', () => watching.said() !== '' && asJson.said() !== '');
  await act('pause');
  await act('resume');
  await eventually('both changes', () => /canary goes on at 5 %/.test(watching.said()));
  await eventually('the last change as JSON', () => asJson.said().includes('"revision":3'));
  watching.stop();
  asJson.stop();
  assert.deepEqual([await watching.ended, await asJson.ended], [0, 0]);
  const lines = watching.said().trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}/, '').replace(/,? by .*$/, '')),
    [
      'shop  progressing  5 %  release 2 begins: canary is progressing at 5 % (stage small)',
      'shop  paused  5 %  canary is paused at 5 %',
      'shop  progressing  5 %  canary goes on at 5 % (progressing)',
    ],
  );
  const rollouts = asJson
    .said()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ShownRollout);
  assert.deepEqual([rollouts[0]!.revision, rollouts.at(-1)!.revision], [1, 3]);
});

test('--watch on a terminal draws over itself in colour, and with NO_COLOR without', async (t) => {
  const gateway = await serveStaged(t, { stages: oneHour });
  const args = ['status', '--watch', '--url', gateway.adminUrl];
  const coloured = startVerb(args, { columns: 80 });
  const plain = startVerb(args, { columns: 80, env: { NO_COLOR: '1' } });
  await eventually('a second drawing', () =>
    [coloured, plain].every((each) => each.said().split('\r\x1b[J').length > 2),
  );
  coloured.stop();
  plain.stop();
  assert.deepEqual([await coloured.ended, await plain.ended], [0, 0]);
  assert.ok(coloured.said().includes('\x1b[36mprogressing\x1b[39m'));
  assert.doesNotMatch(plain.said(), /\[[\d;]*m/);
  assert.doesNotMatch(plain.said(), /\d{4}-\d\d-\d\dT/);
});

test('--wait ends with 0 when the release is promoted and with 1 when it is rolled back, and not when it is paused', async (t) => {
  const gateway = await serveStaged(t, { stages: oneHour });
  const act = actOn(gateway);
  const waiting = startVerb(['status', '--wait', '--release', '2', '--url', gateway.adminUrl]);
  await eventually('the first look', () => waiting.said() !== '');
  await act('pause');
  await eventually('the pause', () => /paused {2}5 %/.test(waiting.said()));
  await act('rollback');
  assert.equal(await waiting.ended, 1);
  assert.match(waiting.said(), /shop {2}rolled-back {2}0 % {2}canary is rolled back from 5 %.*\n$/);
  const other = ['status', '--wait', '--release', '3', '--timeout', '1s', '--url', gateway.adminUrl];
  const timedOut = await runVerb(other);
  assert.equal(timedOut.code, 1);
  assert.match(timedOut.stderr, /^graygate: shop has not ended after 1 s: release 2 is rolled-back at 0 %, /);
  await act('retry');
  await act('promote');
  assert.equal((await runVerb(['status', 'shop', '--wait', '--url', gateway.adminUrl])).code, 0);
});

test('--wait goes on over a restart of the gateway and misses nothing', async (t) => {
  const folder = temporaryFolder(t);
  const first = await serveStaged(t, { stages: oneHour, folder });
  const waiting = startVerb(['status', '--wait', '--url', first.adminUrl]);
  await eventually('the first look', () => waiting.said() !== '');
  first.process.kill('SIGKILL');
  await first.exit;
  await eventually('that it is said', () => waiting.complained().endsWith('; trying again\n'));
  const second = await serveStaged(t, { stages: oneHour, folder, adminPort: new URL(first.adminUrl).port });
  await actOn(second)('pause');
  await actOn(second)('promote');
  assert.equal(await waiting.ended, 0);
  assert.match(waiting.said(), /is paused at .+\n.*promoted {2}100 %/);
  assert.doesNotMatch(waiting.said(), /after a restart/, 'the rollout is where it was');
  assert.equal(waiting.complained().split('\n').length, 2);
});

type Staged = {
  readonly stages: string;
  readonly folder?: string;
  readonly admin?: string;
  readonly adminPort?: string;
  /** Rollouts that are tried first. */
  readonly before?: string;
};

/** A gateway with the rollout `shop`, whose release 2 has begun. */
async function serveStaged(t: TestContext, options: Staged): Promise<Serving> {
  const { stages, folder = temporaryFolder(t), admin = '', adminPort = '0', before = '' } = options;
  const upstream = await startUpstream(t, (_, response) => response.end('tea'));
  const gateway = await serve(
    t,
    folder,
    `version: 1
listen: 127.0.0.1:0
admin: { listen: "127.0.0.1:${adminPort}"${admin} }
store: "sqlite:${join(folder, 'graygate.db')}"
rollouts:${before}
  - name: shop
    versions: { stable: { servers: ["${upstream.url}"] }, canary: { servers: ["${upstream.url}"] } }
    release: "2"
    stages: ${stages}
`,
  );
  await eventually('the rollout', () => gateway.log.some(({ change }) => change === 'begin' || change === 'restore'));
  return gateway;
}

function actOn({ adminUrl }: Serving) {
  return (verb: string, ...options: string[]) =>
    runVerb([verb, 'shop', '--reason', '因为', '--url', adminUrl, ...options]);
}
