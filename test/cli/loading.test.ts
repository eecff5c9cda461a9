// What a verb has to load before it does anything: by the static imports, which are all read before the first line runs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { suite, test } from 'node:test';
import { parseSync } from 'oxc-parser';

const rows: [file: string, packages: string[]][] = [
  ['src/main.ts', ['commander']],
  ['src/cli/validate.ts', ['commander', 'murmurhash-js', 're2js', 'yaml', 'zod']],
  ['src/cli/simulate.ts', ['commander', 'murmurhash-js', 're2js', 'yaml', 'zod']],
  ['src/cli/status.ts', ['commander', 'murmurhash-js', 'zod']],
  ['src/cli/actions.ts', ['commander', 'murmurhash-js', 'zod']],
];

suite('what is loaded', () => {
  for (const [file, packages] of rows) {
    test(`${file} loads ${packages.join(', ')} and no other package, and not the gateway`, () => {
      const { files, packages: found } = loadedFrom(file);
      assert.deepEqual([...found].toSorted(), packages);
      assert.ok(!files.has('src/app.ts'));
    });
  }

  test('the verb that serves is found to load the gateway', () => {
    const { files, packages } = loadedFrom('src/cli/serve.ts');
    assert.ok(files.has('src/app.ts') && packages.has('fastify'));
  });
});

function loadedFrom(start: string): { files: ReadonlySet<string>; packages: ReadonlySet<string> } {
  const [files, packages] = [new Set([start]), new Set<string>()];
  for (const file of files) {
    for (const specifier of loadedBy(file)) {
      if (specifier.startsWith('.')) files.add(join(dirname(file), specifier));
      else if (!specifier.startsWith('node:')) packages.add(specifier);
    }
  }
  return { files, packages };
}

/** Types are stripped and load nothing. */
function loadedBy(file: string): string[] {
  const { module, errors } = parseSync(file, readFileSync(file, 'utf8'));
  assert.deepEqual(errors, []);
  const imports = module.staticImports.filter(({ entries }) => entries.length === 0 || !entries.every((e) => e.isType));
  const exports = module.staticExports.flatMap(({ entries }) => entries.filter((entry) => !entry.isType));
  return [
    ...imports.map(({ moduleRequest }) => moduleRequest.value),
    ...exports.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
  ];
}
