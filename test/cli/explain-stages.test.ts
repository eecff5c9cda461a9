// `explain` on a rollout that moves: by its policy at any stage, and by the running gateway at the one that is in force.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { pino } from 'pino';
import { startGateway } from '../../src/app.ts';
import { explainByPolicy } from '../../src/cli/explain-policy.ts';
import { bucketOf } from '../../src/rollout/bucket.ts';
import { runToEnd } from './run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'graygate-explain-stages-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'policy.yaml');
writeFileSync(
  file,
  `version: 1
listen: 127.0.0.1:0
admin: { listen: "127.0.0.1:0" }
store: "sqlite:${join(folder, 'store.db')}"
rollouts:
  - name: shop
    versions: &versions
      stable: { servers: ["http://127.0.0.1:3001"] }
      canary: { servers: ["http://127.0.0.1:3002"] }
    rules:
      - { name: testers, when: { user: tester }, use: canary }
      - { name: guests, when: { user: { prefix: guest } }, split: { canary: 50 } }
    stages:
      - { name: internal, percent: 0 }
      - { name: ramp, percent: 10, to: 40, step: 15, hold: 1h }
      - { name: half, percent: 50 }
    bake: { hold: 1h, control: 1 }
  - { name: fixed, match: { path: /fixed }, versions: *versions, split: { canary: 50 } }
`,
);

const context = {
  env: {},
  stdout: { write: () => undefined },
  stderr: { write: () => undefined },
  stop: new AbortController().signal,
  onHangUp: () => undefined,
  openLog: () => pino({ level: 'silent' }),
  finish: () => undefined,
};
const plain = { method: 'GET', path: '/', ip: '127.0.0.1', header: [], cookie: [], query: [], claim: [] };

const explained = (user: string, choice: { stage?: string; percent?: number } = {}) =>
  explainByPolicy({ ...plain, config: file, rollout: 'shop', user, ...choice }, context);

const lastLine = async (user: string) =>
  (await runToEnd(['explain', '-c', file, '--rollout', 'shop', '-u', user])).stdout.trimEnd().split('\n').at(-1);

function userWhoseBucket(isWanted: (bucket: number) => boolean): string {
  for (let i = 0; ; i += 1) if (isWanted(bucketOf('shop:', `u-${i}`))) return `u-${i}`;
}

suite('explain by a policy with stages', () => {
  test('says for each user at which percent they change over, and is right about it to the hundredth', async () => {
    for (let i = 0; i < 25; i += 1) {
      const { stages } = await explained(`u-${i}`);
      const { fromPercent } = stages!;
      const below = Math.round(fromPercent * 100 - 1) / 100;
      assert.equal((await explained(`u-${i}`, { percent: fromPercent })).decision?.version, 'canary');
      assert.equal((await explained(`u-${i}`, { percent: below })).decision?.version, 'stable');
    }
  });

  test('lists every stage with the version that the user has there, ranges spelled out and the bake last', async () => {
    const { stages } = await explained('u-1');
    assert.deepEqual(
      stages!.stages.map(({ name, percent }) => [name, percent]),
      [
        ['internal', 0],
        ['ramp', 10],
        ['ramp', 25],
        ['ramp', 40],
        ['half', 50],
        ['bake', 99],
      ],
    );
    for (const { percent, version } of stages!.stages) {
      assert.equal((await explained('u-1', { percent })).decision?.version, version);
    }
  });

  const places: [choice: { stage?: string; percent?: number }, stage: string | null, percent: number][] = [
    [{}, 'internal', 0],
    [{ stage: 'ramp' }, 'ramp', 10],
    [{ stage: 'bake' }, 'bake', 99],
    [{ percent: 40 }, 'ramp', 40],
    [{ percent: 12.34 }, null, 12.34],
    [{ percent: 100 }, null, 100],
  ];
  for (const [choice, stage, percent] of places) {
    test(`${JSON.stringify(choice)} is taken as ${percent} %, stage ${stage}`, async () => {
      const { stages, decision } = await explained('u-1', choice);
      assert.deepEqual([stages?.stage, stages?.percent], [stage, percent]);
      assert.equal(decision?.version, percent >= stages!.fromPercent ? 'canary' : 'stable');
    });
  }

  test('leaves the stages out where a rule decides, and where the split is fixed', async () => {
    assert.equal((await explained('tester')).stages, null);
    assert.equal((await explained('guest-1')).stages, null);
    const fixed = await explainByPolicy(
      { ...plain, config: file, path: '/fixed', rollout: 'fixed', user: 'a' },
      context,
    );
    assert.deepEqual([fixed.decision?.reason, fixed.stages], ['split', null]);
  });

  const told: [args: string[], first: RegExp, last: RegExp][] = [
    [
      ['--stage', 'half'],
      /^shop → \w+ {3}\(reason: split, at 50 % \(stage half\), bucket: \d+, user: u-1\)$/,
      /^stages/,
    ],
    [['--percent', '12.34%'], /^shop → \w+ {3}\(reason: split, at 12\.34 %, bucket: /, /on canary from [\d.]+ % on: /],
  ];
  for (const [args, first, last] of told) {
    test(`tells a person, given ${args.join(' ')}`, async () => {
      const { stdout } = await runToEnd(['explain', '-c', file, '--rollout', 'shop', '-u', 'u-1', ...args]);
      const lines = stdout.trimEnd().split('\n');
      assert.match(lines[0]!, first);
      assert.match(lines.at(-1)!, last);
    });
  }

  test('names the first stage in which the user has the candidate, or says that there is none before the end', async () => {
    const early = userWhoseBucket((bucket) => bucket < 1_000);
    const late = userWhoseBucket((bucket) => bucket >= 9_900);
    assert.match((await lastLine(early))!, /^stages +on canary from \d\.\d\d % on: first in stage ramp \(10 %\)$/);
    assert.match((await lastLine(late))!, /^stages +on canary from [\d.]+ % on: when it is promoted$/);
  });
});

const wrongUsage: [args: string[], said: RegExp][] = [
  [
    ['-c', file, '--rollout', 'shop', '--stage', 'nosuch'],
    /no stage "nosuch"; expected one of internal, ramp, half, bake/,
  ],
  [
    ['-c', file, '--rollout', 'fixed', '--percent', '5'],
    /rollout "fixed" has no stages; --stage and --percent are for/,
  ],
  [['-c', file, '--percent', '0.005'], /is finer than a hundredth of a percent/],
  [['-c', file, '--percent', '5', '--stage', 'half'], /expected one of --stage and --percent/],
  [['-c', file, '--url', 'http://127.0.0.1:9'], /expected --url without --config/],
  [['--percent', '5', '--url', 'http://127.0.0.1:9'], /expected --url without --config, --stage and --percent/],
  [['--header', 'cookie=a', '--url', 'http://127.0.0.1:9'], /expected --cookie NAME=VALUE in the place of a header/],
  [['--path', 'item', '--url', 'http://127.0.0.1:9'], /expected --path to begin with \//],
];
for (const [args, said] of wrongUsage) {
  test(`explain takes it as wrong usage: ${JSON.stringify(args.filter((arg) => arg !== file))}`, async () => {
    const { code, stdout, stderr } = await runToEnd(['explain', '-u', 'u-1', ...args]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, said);
  });
}

test('explain --url says what the gateway does now: at its stage, after a promotion, after a rollback', async (t) => {
  const gateway = await startGateway({ configFile: file, env: {}, logger: pino({ level: 'silent' }) });
  t.after(() => gateway.close());
  const ask = async (...args: string[]) =>
    runToEnd(['explain', '--url', gateway.adminUrl, '--rollout', 'shop', ...args]);
  const decided = async () => JSON.parse((await ask('-u', 'u-1', '--json')).stdout).decision;
  assert.deepEqual(await act('advance'), 0);
  const { stages } = await explained('u-1', { stage: 'ramp' });
  assert.equal((await decided()).version, stages!.stages[1]!.version);
  assert.equal(await act('promote'), 0);
  assert.deepEqual([(await decided()).version, (await decided()).reason], ['canary', 'split']);
  assert.equal(await act('rollback'), 0);
  assert.deepEqual([(await decided()).version, (await decided()).reason], ['stable', 'rolled-back']);
  const { stdout } = await ask('-u', 'u-1');
  assert.match(
    stdout,
    /^shop → stable {3}\(reason: rolled-back, user: u-1\)\n\ngateway +http:\/\/127[^\n]+, as it decides now\n/,
  );
  const unknown = await runToEnd(['explain', '--url', gateway.adminUrl, '--rollout', 'nosuch']);
  assert.deepEqual(unknown, { code: 1, stdout: '', stderr: 'graygate: there is no rollout "nosuch"\n' });

  async function act(verb: string): Promise<number> {
    return (await runToEnd([verb, 'shop', '--reason', 'trying', '--url', gateway.adminUrl])).code;
  }
});
