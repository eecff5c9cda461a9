// Holds the documents against the real thing, both ways: everything there is is documented, and nothing else is.
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { after, suite, test } from 'node:test';
import { policySchema } from '../src/config/policy-schema.ts';
import { errorTable } from '../src/errors.ts';
import { codeIn, documented, fencedBlocks, readDocuments, referenceRows } from './support/documentation.ts';
import { scrapeRealMetrics } from './support/real-metrics.ts';
import { policyKeysOf, routesIn, verbsIn } from './support/real-surface.ts';
import { run } from './support/run.ts';

const documents = readDocuments();
const code = documents.flatMap(({ text }) => codeIn(text));
const help = await run(process.execPath, ['bin/graygate.js', '--help']);

test('there are documents, and a README among them', () => {
  assert.ok(documents.some(({ path }) => path === 'README.md'));
  assert.ok(documents.length > 3);
});

suite('error codes', () => {
  test('every error code is documented once, and no other', () => {
    assert.deepEqual(documented(documents, 'code'), Object.keys(errorTable).toSorted());
  });

  test('each has the status that it is answered with', () => {
    const statuses = referenceRows(documents, 'code').map(({ names, cells }) => [names[0], Number(cells[1])]);
    assert.deepEqual(
      Object.fromEntries(statuses),
      Object.fromEntries(Object.entries(errorTable).map(([name, { status }]) => [name, status])),
    );
  });
});

suite('policy keys', () => {
  const keys = policyKeysOf(policySchema);
  const leaves = keys.filter(
    ({ key }) => !keys.some((other) => /^[.[]/.test(other.key.slice(key.length)) && other.key.startsWith(key)),
  );

  test('every key that holds a value is documented once', () => {
    assert.ok(leaves.length > 20, `expected the keys of the policy, found ${leaves.length}`);
    const named = documented(documents, 'key');
    assert.deepEqual(named, [...new Set(named)]);
    assert.deepEqual(
      leaves.map(({ key }) => key).filter((key) => !named.includes(key)),
      [],
    );
  });

  test('no key is documented that does not work', () => {
    const real = new Set(keys.map(({ key }) => key));
    assert.deepEqual(
      documented(documents, 'key').filter((key) => !real.has(key)),
      [],
    );
  });

  test('each has its real default in the second column', () => {
    const claimed = referenceRows(documents, 'key').map(({ names, cells }) => [names[0], defaultIn(cells[1] ?? '')]);
    const real = new Map(keys.map(({ key, defaultValue }) => [key, defaultValue]));
    assert.deepEqual(
      claimed.filter(([key, value]) => value !== defaultText(real.get(String(key)))),
      [],
    );
  });

  test('every policy in the documents is valid', async () => {
    const policies = documents
      .flatMap(({ text }) => fencedBlocks(text))
      .filter(({ body }) => /^version: 1$/m.test(body));
    assert.ok(policies.length > 0, 'expected an example of a policy');
    const folder = mkdtempSync(join(tmpdir(), 'graygate-docs-'));
    after(() => rmSync(folder, { recursive: true, force: true }));
    for (const { body } of policies) {
      const file = join(folder, 'policy.yaml');
      writeFileSync(file, body);
      const { stderr } = await run(process.execPath, ['bin/graygate.js', 'validate', '--config', file]);
      assert.equal(stderr, '', body);
    }
  });
});

suite('metrics', async () => {
  const real = await scrapeRealMetrics();

  test('every metric is documented once, and no other', () => {
    assert.ok(real.length > 5, `expected the metrics of graygate, found ${real.length}`);
    assert.deepEqual(documented(documents, 'metric'), real);
  });

  test('no document names a metric that there is not', () => {
    const known = new Set([
      ...real,
      ...real.flatMap((name) => ['_bucket', '_sum', '_count'].map((part) => name + part)),
    ]);
    const named = documents.flatMap(({ text }) => text.match(/\bgraygate_[a-z_]*[a-z]\b/g) ?? []);
    assert.deepEqual(
      [...new Set(named)].filter((name) => !known.has(name) && name !== 'graygate_uid'),
      [],
    );
  });
});

suite('command line', () => {
  const verbs = verbsIn(help.stdout);

  test('every verb is documented once, and no other', () => {
    assert.ok(verbs.length > 2, `expected the verbs of graygate, found ${verbs.length} in its help`);
    assert.deepEqual(documented(documents, 'verb'), verbs);
  });

  test('no document runs a verb that there is not', () => {
    const used = code.flatMap((text) =>
      [...text.matchAll(/(?<=^ *|npx |[$;&|] )graygate ([a-z][a-z-]*)\b/gm)].map((match) => match[1] ?? ''),
    );
    assert.deepEqual(
      [...new Set(used)].filter((verb) => verb !== 'help' && !verbs.includes(verb)),
      [],
    );
  });

  for (const verb of verbs) {
    test(`the options of ${verb} are those of its help`, async () => {
      const own = await run(process.execPath, ['bin/graygate.js', verb, '--help']);
      const real = Array.from(own.stdout.matchAll(/^ +(?:-\w, )?(--[a-z][a-z-]*)/gm), (line) => line[1] ?? '');
      const row = referenceRows(documents, 'verb').find(({ names }) => names.includes(verb));
      const claimed = new Set(row?.cells.join(' ').match(/--[a-z][a-z-]*/g));
      assert.deepEqual([...claimed].toSorted(), real.filter((option) => option !== '--help').toSorted());
    });
  }
});

suite('endpoints', () => {
  const real = globSync('src/admin/**/*.ts').flatMap((path) => routesIn(path, readFileSync(path, 'utf8')));

  test('every endpoint of the admin port is documented once, and no other', () => {
    assert.ok(real.length > 2, `expected the routes of the admin port, found ${real.length}`);
    assert.deepEqual(documented(documents, 'endpoint'), real.toSorted());
  });

  test('no document asks for an endpoint that there is not', () => {
    const paths = new Set(real.map((route) => route.split(' ')[1]));
    const used = code.flatMap((text) => text.match(/(?<![\w/])\/(?:healthz|readyz|metrics|api)\b[\w/{}.-]*/g) ?? []);
    assert.deepEqual(
      [...new Set(used)].filter((path) => !paths.has(path)),
      [],
    );
  });
});

test('every link between documents leads somewhere', () => {
  const broken = documents.flatMap(({ path, text }) =>
    Array.from(text.matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g), (link) =>
      normalize(join(dirname(path), link[1] ?? '')),
    ).filter((target) => globSync(target).length === 0),
  );
  assert.deepEqual(broken, []);
});

test('every npm script that a document names exists', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync('package.json', 'utf8'));
  const named = code.flatMap((text) =>
    [...text.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)].map((match) => match[1] ?? ''),
  );
  assert.deepEqual(
    [...new Set(named)].filter((name) => !(name in scripts)),
    [],
  );
});

test('the README says to install with npm ci and to test with npm test, as CI does', () => {
  const commands = documents
    .filter(({ path }) => path === 'README.md')
    .flatMap(({ text }) => codeIn(text))
    .join('\n');
  assert.match(commands, /\bnpm ci\b/);
  assert.match(commands, /\bnpm test\b/);
});

function defaultIn(cell: string): string {
  return codeIn(cell).join(', ');
}

/** How a default stands in a table: as a policy would say it; nothing where the key has none. */
function defaultText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return Array.isArray(value) ? `[${value.join(', ')}]` : JSON.stringify(value).replaceAll('"', '');
}
