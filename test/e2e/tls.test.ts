// HTTPS and HTTP/2 from a real gateway process: with curl and h2load, and while its certificate is exchanged under load.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { authority, certificateFile } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { openHttp2, sendHttp2 } from '../support/http2-client.ts';
import { needs } from '../support/requirements.ts';
import { run } from '../support/run.ts';
import { type Cleanup, serve, type Serving, startUpstream, temporaryFolder } from '../support/serving.ts';

async function startShop(t: Cleanup, tls = '{ cert: cert.pem, key: key.pem }'): Promise<Serving> {
  const upstream = await startUpstream(t, (request, response) => {
    request.resume().on('end', () => response.end(`${request.method} ${request.url}`));
  });
  const folder = temporaryFolder(t);
  install(folder, 'shop');
  copyFileSync(certificateFile('client-authority.pem'), join(folder, 'clients.pem'));
  return serve(
    t,
    folder,
    `version: 1
listen: 127.0.0.1:0
admin: { listen: "127.0.0.1:0" }
tls: ${tls}
rollouts:
  - name: shop
    versions:
      stable: { servers: [${upstream.url}] }
      canary: { servers: [${upstream.url}] }
    split: { canary: 50 }
`,
  );
}

/** Puts a certificate of the tests and its key in the place of the policy's. */
function install(folder: string, name: string): void {
  copyFileSync(certificateFile(`${name}.pem`), join(folder, 'cert.pem'));
  copyFileSync(certificateFile(`${name}.key`), join(folder, 'key.pem'));
}

/** The common name of the certificate that a new connection is shown. */
function nameShown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca: authority, servername: 'shop.test' }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('the address that is logged is an https one, and the policy that is shown names files only', async (t) => {
  const { log, adminUrl } = await startShop(t);
  assert.match(String(log.find(({ msg }) => msg === 'graygate is ready')!['traffic']), /^https:/);
  const shown = await (await fetch(`${adminUrl}/api/v1/policy`)).text();
  assert.match(shown, /"cert":"cert.pem"/);
  assert.doesNotMatch(shown, /BEGIN/);
});

for (const version of ['1.1', '2'] as const) {
  test(`curl speaks HTTP/${version}`, { skip: needs('curl') }, async (t) => {
    const { port } = await startShop(t);
    const { stdout } = await run('curl', [
      '--silent',
      `--http${version}`,
      '--cacert',
      certificateFile('authority.pem'),
      '--resolve',
      `shop.test:${port}:127.0.0.1`,
      '--data',
      'body',
      '--write-out',
      ' %{http_version} %{http_code}',
      `https://shop.test:${port}/a?b`,
    ]);
    assert.equal(stdout, `POST /a?b ${version} 200`);
  });
}

test('curl needs the certificate that clientCa asks for', { skip: needs('curl') }, async (t) => {
  const { port } = await startShop(t, '{ cert: cert.pem, key: key.pem, clientCa: clients.pem }');
  const url = ['--silent', '--cacert', certificateFile('authority.pem'), `https://127.0.0.1:${port}/`];
  const own = ['--cert', certificateFile('client.pem'), '--key', certificateFile('client.key')];
  assert.equal((await run('curl', url)).stdout, '');
  assert.equal((await run('curl', [...own, ...url])).stdout, 'GET /');
});

test('h2load gets an answer to every request', { skip: needs('h2load') }, async (t) => {
  const { port } = await startShop(t);
  const { stdout } = await run('h2load', ['-n', '4000', '-c', '8', '-m', '32', `https://127.0.0.1:${port}/`]);
  assert.match(stdout, /Application protocol: h2/);
  assert.match(stdout, /4000 succeeded, 0 failed, 0 errored, 0 timeout/);
  assert.match(stdout, /status codes: 4000 2xx/);
});

test('certificates are exchanged under load, and nobody notices who is connected', async (t) => {
  const { port, folder, log } = await startShop(t);
  const session = await openHttp2(t, port);
  let answerCount = 0;
  const load = { isStopped: false };
  const clients = Array.from({ length: 10 }, async () => {
    while (!load.isStopped) {
      const reply = await sendHttp2(session);
      assert.equal(reply.status, 200);
      answerCount += 1;
    }
  });
  await eventually('answers come', () => answerCount > 100);
  assert.equal(await nameShown(port), 'shop');
  install(folder, 'shop-renewed');
  await eventually('the new one is shown', async () => (await nameShown(port)) === 'shop-renewed');
  const before = answerCount;
  await eventually('answers go on', () => answerCount > before + 100);
  assert.equal(session.closed, false);
  // A certificate that does not fit its key changes nothing.
  copyFileSync(certificateFile('other.pem'), join(folder, 'cert.pem'));
  await eventually('it is refused', () =>
    log.some(({ level, msg }) => level === 50 && msg.startsWith('policy rejected')),
  );
  assert.equal(await nameShown(port), 'shop-renewed');
  load.isStopped = true;
  await Promise.all(clients);
});
