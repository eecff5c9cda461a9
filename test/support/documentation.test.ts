import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { codeIn, documented, fencedBlocks } from './documentation.ts';
import { metricsIn, policyKeysOf, routesIn, verbsIn } from './real-surface.ts';
import { debianPackagesIn } from './requirements.ts';

const page = `
# Codes

| code | status | when |
| --- | --- | --- |
| \`one\` | 400 | a \`word\` with a \\| bar |
| \`two\` | 0 | |

| thing | code |
| --- | --- |
| \`three\` | \`four\` |

\`\`\`yaml
version: 1
| code |
| --- |
| \`five\` |
\`\`\`
`;

test('names are read from the first column of the tables about the subject, and from nowhere else', () => {
  assert.deepEqual(documented([{ path: 'a.md', text: page }], 'code'), ['one', 'two']);
});

test('code is what stands in fences and in spans', () => {
  assert.deepEqual(codeIn('a `b` c\n```sh\nd `e`\n```\n'), ['d `e`\n', 'b']);
  assert.deepEqual(
    fencedBlocks(page).map(({ language }) => language),
    ['yaml'],
  );
});

test('the keys of a schema are found below lists, free names, alternatives and defaults', () => {
  const schema = z.strictObject({
    a: z.strictObject({ b: z.string().prefault('x') }).prefault({ b: 'y' }),
    list: z.array(z.union([z.string(), z.strictObject({ c: z.number() })])),
    names: z.record(z.string(), z.strictObject({ d: z.string() })),
  });
  assert.deepEqual(
    policyKeysOf(schema).map(({ key, defaultValue }) => [key, defaultValue]),
    [
      ['a', null],
      ['a.b', 'x'],
      ['list', null],
      ['list[].c', null],
      ['names', null],
      ['names.NAME', null],
      ['names.NAME.d', null],
    ],
  );
});

test('routes are found by method and path', () => {
  const source = `app.get<{ Params: P }>('/a/:name', h); map.get('key'); app.post('/b', h); // app.get('/c', h)`;
  assert.deepEqual(routesIn('a.ts', source), ['GET /a/{name}', 'POST /b']);
});

test('verbs are found in the help, and nothing else of it', () => {
  const help = 'Usage: graygate\n\nOptions:\n  -V  version\n\nVerbs:\n  serve  runs\n      more words\n\nmore\n';
  assert.deepEqual(verbsIn(help), ['serve']);
});

test("metrics are found in the exposition, without the process's own", () => {
  assert.deepEqual(metricsIn('# TYPE graygate_b gauge\n# TYPE process_a gauge\n# HELP graygate_c x\n'), ['graygate_b']);
});

test('the Debian packages of all that tests need are found', () => {
  assert.deepEqual(debianPackagesIn([asks('promtool', 'wrk'), asks('prometheus'), `'chromium'`]), [
    'prometheus',
    'wrk',
  ]);
});

/** Put together here, so that this file itself asks for nothing. */
function asks(...programs: string[]): string {
  return ['{ skip: needs', `('${programs.join("', '")}') }`].join('');
}
