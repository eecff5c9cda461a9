// What `GET /readyz?verbose` says of a running gateway whose files went wrong.
import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { certificateFile } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { serve, temporaryFolder } from '../support/serving.ts';

const policy = `version: 1
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
tls: { cert: shop.pem, key: shop.key }
rollouts:
  - name: shop
    versions: { stable: { servers: ["http://127.0.0.1:1"] }, canary: { servers: ["http://127.0.0.1:1"] } }
    split: { canary: 10 }
`;

test('a key file that was renewed badly is named until it is mended; the gateway stays ready', async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['shop.pem', 'shop.key']) copyFileSync(certificateFile(name), join(folder, name));
  const { adminUrl, process } = await serve(t, folder, policy);
  const degraded = async (): Promise<readonly string[]> => {
    const answer = await fetch(`${adminUrl}/readyz?verbose`);
    assert.equal(answer.status, 200);
    return ((await answer.json()) as { degraded: string[] }).degraded.filter((each) => each.startsWith('policy: '));
  };
  assert.deepEqual(await degraded(), []);
  writeFileSync(join(folder, 'shop.key'), 'not a key');
  process.kill('SIGHUP');
  const [said] = await eventually('the rejection', async () => {
    const found = await degraded();
    return found.length > 0 ? found : null;
  });
  assert.match(said!, /^policy: rejected, the one before stays in force: .*graygate\.yaml:4:\d+: tls\.key: /);
  assert.doesNotMatch(said!, /not a key/);
  copyFileSync(certificateFile('shop.key'), join(folder, 'shop.key'));
  process.kill('SIGHUP');
  await eventually('the mending', async () => (await degraded()).length === 0);
});
