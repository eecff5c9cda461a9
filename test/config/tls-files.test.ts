// Certificates that a policy names: what is read of them, what is said about bad ones, and that they are watched.
import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { loadPolicy } from '../../src/config/load-policy.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { placedWarnings } from '../../src/config/warnings.ts';
import { certificateFile, pemOf } from '../support/certificates.ts';
import { shopPolicy, temporaryFolder } from './policy-folder.ts';
import { percentPolicy, recordPolicy } from './policy-recorder.ts';

type Test = Parameters<typeof temporaryFolder>[0];

/** A policy with this `tls`, beside all certificates of the tests. */
async function load(t: Test, tls: string) {
  const folder = await temporaryFolder(t);
  await cp(certificateFile('.'), folder, { recursive: true });
  await writeFile(join(folder, 'empty.pem'), '');
  await writeFile(join(folder, 'torn.pem'), '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
  await writeFile(join(folder, 'chain.pem'), pemOf('shop.pem') + pemOf('authority.pem'));
  await writeFile(join(folder, 'large.pem'), Buffer.alloc(1_048_577, '#'));
  const file = join(folder, 'p.yaml');
  await writeFile(file, shopPolicy(undefined, `tls: ${tls}\n`));
  const result = await loadPolicy(file, {});
  const linesOf = (problems: Parameters<typeof formatProblem>[0][]) =>
    problems.map(formatProblem).map((line) => line.replaceAll(`${folder}/`, ''));
  const files = result.files.map((each) => each.replace(`${folder}/`, ''));
  return {
    policy: result.ok ? result.policy : null,
    lines: result.ok ? [] : linesOf([...result.problems]),
    warnings: result.ok ? linesOf(placedWarnings(result)) : [],
    files,
  };
}

test('a certificate and its key are read, and their files belong to the policy', async (t) => {
  const { policy, files } = await load(t, '{ cert: chain.pem, key: shop.key, clientCa: client-authority.pem }');
  const { certificates, clientCa } = policy!.tls!;
  assert.deepEqual(certificates, [
    {
      names: ['shop.test', '*.shop.test', 'localhost'],
      cert: pemOf('shop.pem') + pemOf('authority.pem'),
      key: pemOf('shop.key'),
      fromMs: Date.UTC(2025, 0, 1),
      untilMs: Date.UTC(2125, 0, 1),
    },
  ]);
  assert.equal(clientCa, pemOf('client-authority.pem'));
  assert.deepEqual(files, ['p.yaml', 'chain.pem', 'shop.key', 'client-authority.pem']);
});

test('a list is read in its order, and without tls there is none', async (t) => {
  const { policy } = await load(t, '[{ cert: other.pem, key: other.key }, { cert: shop.pem, key: shop.key }]');
  assert.deepEqual(
    policy!.tls!.certificates.map(({ names }) => names[0]),
    ['other.test', 'shop.test'],
  );
  assert.equal(policy!.tls!.clientCa, null);
  assert.deepEqual((await load(t, '[]')).lines, [
    'p.yaml:3:6: tls: is an empty list; expected a mapping with cert and key, or a list of them',
  ]);
});

test('a certificate without alternative names is for its common name', async (t) => {
  const { policy } = await load(t, '{ cert: client-authority.pem, key: client-authority.key }');
  assert.deepEqual(policy!.tls!.certificates[0].names, ['client-authority']);
});

suite('what is wrong with a certificate is said where it is named', () => {
  const nameHint = 'name a PEM file, relative to the policy file';
  const rows: readonly [what: string, tls: string, ...lines: string[]][] = [
    [
      'files that are not there',
      '{ cert: a.pem, key: b.key }',
      `p.yaml:3:14: tls.cert: "a.pem" cannot be read: no such file; ${nameHint}`,
      `p.yaml:3:26: tls.key: "b.key" cannot be read: no such file; ${nameHint}`,
    ],
    [
      'files without what they should hold, in a list',
      '[{ cert: shop.pem, key: shop.key }, { cert: empty.pem, key: shop.pem, clientCa: empty.pem }]',
      'p.yaml:3:50: tls[1].cert: "empty.pem" holds no certificate; put it there in PEM: -----BEGIN CERTIFICATE-----',
      'p.yaml:3:66: tls[1].key: "shop.pem" holds no private key; put it there in PEM: -----BEGIN PRIVATE KEY-----',
      'p.yaml:3:86: tls[1].clientCa: "empty.pem" holds no certificate; put it there in PEM: -----BEGIN CERTIFICATE-----',
      'p.yaml:3:86: tls[1].clientCa: "empty.pem" is not read here; write clientCa in the first entry; it holds for every name',
    ],
    [
      'a certificate that is broken, and a key with a passphrase',
      '{ cert: torn.pem, key: encrypted.key }',
      'p.yaml:3:14: tls.cert: "torn.pem" holds a certificate that cannot be read; write it again in PEM',
      'p.yaml:3:29: tls.key: "encrypted.key" is a key with a passphrase; take the passphrase off: openssl pkey -in FILE -out NEW-FILE',
    ],
    [
      'a key of another certificate',
      '{ cert: shop.pem, key: other.key }',
      'p.yaml:3:29: tls.key: "other.key" is not the key of the certificate in cert; the first certificate in cert must be the one that the key was made for',
    ],
    [
      'a file that is too large',
      '{ cert: large.pem, key: shop.key }',
      `p.yaml:3:14: tls.cert: "large.pem" is larger than 1MiB; ${nameHint}`,
    ],
    [
      'the text of a key, which is not shown',
      '{ cert: shop.pem, key: "-----BEGIN PRIVATE KEY-----\\nMIGH" }',
      'p.yaml:3:29: tls.key: is not the name of a file; write the name of a PEM file, relative to the policy file',
    ],
    [
      'half of a pair',
      '{ cert: shop.pem, keys: shop.key }',
      'p.yaml:3:6: tls.key: is missing; expected the file of its private key',
      'p.yaml:3:24: tls.keys: unknown key; did you mean "key"?',
    ],
  ];
  for (const [what, tls, ...lines] of rows) {
    test(what, async (t) => assert.deepEqual((await load(t, tls)).lines, lines));
  }
});

suite('warnings', () => {
  test('a certificate that has expired is one, and the policy is valid', async (t) => {
    const { policy, warnings } = await load(t, '{ cert: expired.pem, key: expired.key }');
    assert.notEqual(policy, null);
    assert.deepEqual(warnings, [
      'p.yaml:3:14: tls.cert: "expired.pem" has expired on 2021-01-01; renew it; it is read again when the file changes',
    ]);
  });

  test('in a list the warning is at the entry, and others have none', async (t) => {
    const { warnings } = await load(t, '[{ cert: shop.pem, key: shop.key }, { cert: expired.pem, key: expired.key }]');
    assert.deepEqual(
      warnings.map((line) => line.split(': ')[1]),
      ['tls[1].cert'],
    );
  });
});

test('a changed certificate loads the policy again, and one that is broken changes nothing', async (t) => {
  const { folder, reports, reported } = await recordPolicy(t, {
    async lay(laid) {
      await cp(certificateFile('.'), laid, { recursive: true });
      const file = join(laid, 'p.yaml');
      await writeFile(
        file,
        percentPolicy(10).replace('rollouts:', 'tls: { cert: shop.pem, key: shop.key }\nrollouts:'),
      );
      return file;
    },
  });
  await writeFile(join(folder, 'shop.pem'), pemOf('other.pem'));
  await reported(1);
  await writeFile(join(folder, 'shop.key'), pemOf('other.key'));
  await reported(2);
  assert.deepEqual(reports, ['rejected', 10]);
});
