import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../support/requirements.ts';
import { run } from '../support/run.ts';

const shortRun = ['bench/compare.ts', '--rounds', '1', '--seconds', '1', '--connections', '8'];

const everyProxy = ['graygate', 'nginx', 'haproxy', 'caddy', 'bare'];

for (const [caseName, names] of [
  ['get-1k', everyProxy],
  ['post-10k', ['graygate', 'bare']],
  ['get-100k', ['graygate', 'bare']],
] as const) {
  test(
    `a short run of ${caseName} measures each proxy`,
    { skip: needs('nginx', 'haproxy', 'caddy', 'wrk') },
    async () => {
      const args = [...shortRun, '--case', caseName, '--only', names.join(',')];
      const { code, stdout, stderr } = await run(process.execPath, args);
      assert.equal(code, 0, `${stdout}${stderr}`);
      const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
      for (const name of names) {
        const [, cpu, rate, , , resident, failed] = rows.find((row) => row[0] === name) ?? [];
        assert.ok(Number(cpu) > 1, `expected CPU time of ${name}, got ${cpu}`);
        assert.ok(Number(rate) > 10, `expected requests of ${name}, got ${rate}`);
        assert.ok(Number(resident) > 1, `expected memory of ${name}, got ${resident}`);
        assert.equal(failed, '0');
      }
    },
  );
}

test('half load, idle connections and many rollouts are measured too', { skip: needs('wrk') }, async () => {
  const cases = {
    p99: ['--only', 'graygate,bare'],
    'idle-10k': ['--only', 'graygate,bare', '--idle', '400'],
    rollouts: [],
  };
  const rows = { p99: ['graygate', 'bare'], 'idle-10k': ['graygate', 'bare'], rollouts: ['1 rollout', '200 rollouts'] };
  for (const [caseName, more] of Object.entries(cases)) {
    const { code, stdout, stderr } = await run(process.execPath, [...shortRun, '--case', caseName, ...more]);
    assert.equal(code, 0, `${stdout}${stderr}`);
    for (const name of rows[caseName as keyof typeof rows]) assert.match(stdout, new RegExp(`^${name} +[1-9]`, 'm'));
  }
});

test('an unknown proxy is refused', async () => {
  const { code, stderr } = await run(process.execPath, [...shortRun, '--only', 'squid']);
  assert.equal(code, 1);
  assert.match(stderr, /--only: there is no squid/);
});

test('without wrk the load comes from autocannon, with the same figures', async () => {
  const env = { ...process.env, GRAYGATE_BENCH_LOAD: 'autocannon' };
  const { code, stdout, stderr } = await run(process.execPath, [...shortRun, '--only', 'bare'], { env });
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.match(stdout, /load: autocannon/);
  assert.match(stdout, /^bare +[\d.]+ +[1-9]\d+ .* 0 +1\.00$/m);
});
