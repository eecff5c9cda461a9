// Layer, holdout and exclusions as `explain` and `simulate` tell of them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runHere } from './run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'graygate-population-'));
after(() => rmSync(folder, { recursive: true }));

function configOf(layer: string): string[] {
  const file = join(folder, 'policy.yaml');
  writeFileSync(
    file,
    `version: 1
listen: 127.0.0.1:0
holdout: 5
rollouts:
  - name: shop
    versions: { stable: { servers: http://127.0.0.1:1 }, canary: { servers: http://127.0.0.1:2 } }
    split: { canary: 100 }
    exclude: [{ header: { x-probe: "1" } }]
${layer}`,
  );
  return ['--config', file];
}

test('explain says where the user stands in both, and that the request is excluded', async () => {
  const config = configOf('    layer: { name: pay, from: 0, to: 0.01 }\n');
  const { code, stdout } = await runHere(['explain', ...config, '--user', 'u-1', '--header', 'x-probe=1']);
  assert.equal(code, 0);
  assert.match(stdout, /^shop → stable {3}\(reason: layer, user: u-1\)\n/);
  assert.match(
    stdout,
    /users +holdout: murmur3\("holdout:holdout:u-1"\) mod 10000 = \d+, asked for is 0–499: not held out/,
  );
  assert.match(stdout, /layer: murmur3\("layer:pay:u-1"\) mod 10000 = \d+, asked for is 0–0: another share/);
  assert.match(stdout, /excluded +counts as neither exposure nor event/);
  assert.doesNotMatch((await runHere(['explain', ...config, '--user', 'u-1'])).stdout, /excluded/);
});

test('simulate counts who stands aside, in a column of its own where there are any', async () => {
  const { stdout } = await runHere(['simulate', ...configOf(''), '--users', '2000']);
  const [heading = '', row = ''] = stdout.split('\n').filter((line) => /^(stage|split)/.test(line));
  assert.match(heading, /stand aside/);
  const [stable, canary] = [...row.matchAll(/([\d,]+) \(/g)].map(([, count]) => Number(count!.replaceAll(',', '')));
  assert.equal(stable! + canary!, 2_000);
  assert.ok(stable! > 50 && stable! < 150, `${stable} of 2000 are held out`);
  assert.ok(row.includes(` ${stable} `), row);
});
