// How a version's servers are spoken to: what is read of http2 and tls, what is said about bad values, and that files are watched.
import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { loadPolicy } from '../../src/config/load-policy.ts';
import { unpackPolicy } from '../../src/config/policy-parcel.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { placedWarnings } from '../../src/config/warnings.ts';
import { certificateFile, pemOf } from '../support/certificates.ts';
import { shopPolicy, temporaryFolder } from './policy-folder.ts';

type Test = Parameters<typeof temporaryFolder>[0];

/** A policy whose stable version has these keys, beside all certificates of the tests. */
async function load(t: Test, keys: string, servers = 'https://shop.test') {
  const folder = await temporaryFolder(t);
  await cp(certificateFile('.'), folder, { recursive: true });
  await writeFile(join(folder, 'empty.pem'), '');
  const file = join(folder, 'p.yaml');
  await writeFile(file, shopPolicy().replace('servers: [http://10.0.0.1:3000]', `servers: [${servers}], ${keys}`));
  const result = await loadPolicy(file, {});
  const linesOf = (problems: readonly Parameters<typeof formatProblem>[0][]) =>
    problems.map(formatProblem).map((line) => line.replaceAll(`${folder}/`, ''));
  return {
    result,
    version: result.ok ? result.policy.rollouts[0]!.versions[0] : null,
    lines: result.ok ? [] : linesOf(result.problems),
    warnings: result.ok ? linesOf(placedWarnings(result)) : [],
    files: result.files.map((each) => each.replace(`${folder}/`, '')),
    folder,
  };
}

test('authorities, a certificate and its key are read, and their files belong to the policy', async (t) => {
  const tls = 'tls: { ca: authority.pem, cert: client.pem, key: client.key, servername: Shop.Test }';
  const { version, files } = await load(t, `http2: true, ${tls}`);
  assert.equal(version!.http2, true);
  assert.deepEqual(version!.tls, {
    ca: pemOf('authority.pem'),
    cert: pemOf('client.pem'),
    key: pemOf('client.key'),
    servername: 'shop.test',
    insecure: false,
  });
  assert.deepEqual(files, ['p.yaml', 'authority.pem', 'client.pem', 'client.key']);
});

test('nothing is asked of servers unless it is written, but that they are verified', async (t) => {
  const { version } = await load(t, 'tls: {}');
  assert.equal(version!.http2, false);
  assert.deepEqual(version!.tls, { ca: null, cert: null, key: null, servername: null, insecure: false });
  assert.equal((await load(t, 'http2: false')).version!.tls, null);
});

test('another content of a file is another policy, and the same release', async (t) => {
  const { result, folder, version } = await load(t, 'tls: { ca: authority.pem }');
  await writeFile(join(folder, 'authority.pem'), pemOf('client-authority.pem'));
  const changed = await loadPolicy(join(folder, 'p.yaml'), {});
  assert.notEqual(changed.fingerprint, result.fingerprint);
  assert.ok(result.ok && changed.ok);
  assert.notDeepEqual(changed.policy.rollouts[0]!.versions[0].tls, version!.tls);
  assert.equal(changed.policy.rollouts[0]!.staging.release, result.policy.rollouts[0]!.staging.release);
});

test('another process builds the same versions without reading a file', async (t) => {
  const { result } = await load(t, 'tls: { ca: authority.pem, cert: client.pem, key: client.key }');
  assert.ok(result.ok);
  const unpacked = unpackPolicy(structuredClone(result.packed.parcel), { usersOf: () => new Set(), shareCount: 1 });
  assert.deepEqual(unpacked.rollouts[0]!.versions, result.policy.rollouts[0]!.versions);
});

test('servers that are not verified are warned about', async (t) => {
  const { warnings } = await load(t, 'tls: { insecure: true }');
  assert.deepEqual(warnings, [
    'p.yaml:6:54: rollouts[0].versions.stable.tls.insecure: takes any certificate of the servers; name the authority of their certificates in ca',
  ]);
  assert.deepEqual((await load(t, 'tls: { insecure: false }')).warnings, []);
});

const at = (column: number, rest: string) => `p.yaml:6:${column}: rollouts[0].versions.stable.tls${rest}`;

suite('what is wrong is said where it is written', () => {
  const rows: readonly [what: string, keys: string, ...lines: string[]][] = [
    [
      'files that are not there',
      'tls: { ca: a.pem, cert: b.pem, key: c.key }',
      at(58, '.ca: "a.pem" cannot be read: no such file; name a PEM file, relative to the policy file'),
      at(71, '.cert: "b.pem" cannot be read: no such file; name a PEM file, relative to the policy file'),
      at(83, '.key: "c.key" cannot be read: no such file; name a PEM file, relative to the policy file'),
    ],
    [
      'files that hold something else',
      'tls: { ca: empty.pem, cert: client.key, key: client.pem }',
      at(58, '.ca: "empty.pem" holds no certificate; put it there in PEM: -----BEGIN CERTIFICATE-----'),
      at(75, '.cert: "client.key" holds no certificate; put it there in PEM: -----BEGIN CERTIFICATE-----'),
      at(92, '.key: "client.pem" holds no private key; put it there in PEM: -----BEGIN PRIVATE KEY-----'),
    ],
    [
      'the key of another certificate',
      'tls: { cert: client.pem, key: shop.key }',
      at(
        77,
        '.key: "shop.key" is not the key of the certificate in cert; the first certificate in cert must be the one that the key was made for',
      ),
    ],
    [
      'a certificate without its key',
      'tls: { cert: client.pem }',
      at(54, '.cert: needs key, which is missing; add key'),
    ],
    [
      'a key without its certificate',
      'tls: { key: client.key }',
      at(54, '.key: needs cert, which is missing; add cert'),
    ],
    [
      'the text of a key',
      'tls: { key: "-----BEGIN PRIVATE KEY-----" }',
      at(59, '.key: is not the name of a file; write the name of a PEM file, relative to the policy file'),
    ],
    [
      'an address as a name',
      'tls: { servername: 10.0.0.1 }',
      at(66, '.servername: "10.0.0.1" is not a host name; write a name such as shop.internal'),
    ],
    ['a misspelt key', 'tls: { CA: authority.pem }', at(54, '.CA: unknown key; did you mean "ca"?')],
    ['words for yes', 'http2: yes', 'p.yaml:6:54: rollouts[0].versions.stable.http2: "yes" is neither true nor false'],
  ];
  for (const [what, keys, ...lines] of rows) {
    test(what, async (t) => assert.deepEqual((await load(t, keys)).lines, lines));
  }

  test('tls for servers that are all plain', async (t) => {
    const { lines } = await load(t, 'tls: {}', 'http://10.0.0.1:3000');
    assert.deepEqual(lines, [
      'p.yaml:6:50: rollouts[0].versions.stable.tls: is for https servers, of which there are none; write https:// in servers',
    ]);
  });
});
