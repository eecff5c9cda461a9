// Holds src/ to its rooms: who may import whom, what is pure, and where the process may be ended.
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { blockingFiles, violationsIn } from './support/architecture.ts';

const files = globSync('src/**/*.ts').map((path) => path.replaceAll('\\', '/'));

test('every file of src keeps to its room', () => {
  assert.ok(files.length > 4, `expected to read the sources of graygate, found ${files.length} files`);
  assert.deepEqual(
    files.flatMap((path) => violationsIn(path, readFileSync(path, 'utf8'))),
    [],
  );
});

test('every file of src is TypeScript, so that the build carries all of it', () => {
  const others = readdirSync('src', { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.endsWith('.ts'),
  );
  assert.deepEqual(
    others.map((entry) => `${entry.parentPath}/${entry.name}`),
    [],
  );
});

test('file names are kebab-case and say what is in them', () => {
  const bad = files.filter(
    (path) =>
      !/^src(\/[a-z0-9]+(-[a-z0-9]+)*)+\.ts$/.test(path) ||
      /(^|\/)(utils?|helpers?|common|types|lib|index)(\/|\.ts$)/.test(path),
  );
  assert.deepEqual(bad, []);
});

test('every exception to the rooms is still needed', () => {
  const gone = Object.keys(blockingFiles).filter((path) => !files.includes(path));
  assert.deepEqual(gone, []);
});

const rejected: [path: string, source: string, because: RegExp][] = [
  ['src/gateway/a.ts', `import { x } from '../config/load.ts';`, /gateway must not import config/],
  ['src/gateway/a.ts', `import type { X } from '../config/load.ts';`, /gateway must not import config/],
  ['src/gateway/a.ts', `export * from '../store/a.ts';`, /gateway must not import store/],
  ['src/gateway/a.ts', `export type { X } from '../store/a.ts';`, /gateway must not import store/],
  ['src/gateway/a.ts', `const x = await import('../admin/a.ts');`, /gateway must not import admin/],
  ['src/gateway/a.ts', `const x = (name: string) => import(name);`, /computed name/],
  ['src/gateway/a.ts', `import '../app.ts';`, /gateway must not import app\.ts/],
  ['src/gateway/a.ts', `import { a } from '../../test/support/shop.ts';`, /outside src/],
  ['src/rollout/a.ts', `import { b } from '../gateway/facts.ts';`, /rollout must not import gateway/],
  ['src/rollout/a.ts', `import { hash } from 'node:crypto';`, /pure/],
  ['src/rollout/a.ts', `import murmur from 'murmurhash-js';`, /pure/],
  ['src/stats/a.ts', `import { errorTable } from '../errors.ts';`, /stats must not import errors\.ts/],
  ['src/stats/a.ts', `export const draw = () => Math.random();`, /Math\.random/],
  ['src/rollout/a.ts', `export const now = () => Date.now();`, /Date\.now/],
  ['src/rollout/a.ts', `export const now = () => new Date();`, /new Date/],
  ['src/rollout/a.ts', `export const home = () => process.env.HOME;`, /process/],
  ['src/errors.ts', `import { a } from './stats/a.ts';`, /errors\.ts must not import stats/],
  ['src/app.ts', `import { run } from './cli/run.ts';`, /app\.ts must not import cli/],
  ['src/cli/a.ts', `process.exit(1);`, /process\.exit/],
  ['src/cli/a.ts', `import { exit } from 'node:process';`, /node:process/],
  ['src/cli/a.ts', `const { exit } = process;`, /process taken apart/],
  ['src/gateway/a.ts', `console.log('hello');`, /console/],
  ['src/gateway/a.ts', `globalThis.console.log('hello');`, /console/],
  ['src/gateway/a.ts', `import fs from 'node:fs'; fs.readFileSync('a');`, /readFileSync/],
  ['src/gateway/a.ts', `import { readFileSync as read } from 'node:fs'; read('a');`, /readFileSync/],
  ['src/gateway/a.ts', `import fs from 'fs';`, /without node:/],
  ['src/shed/a.ts', `export const a = 1;`, /no room "shed"/],
  ['src/gateway/a.ts', `import {`, /cannot be parsed/],
];

for (const [path, source, because] of rejected) {
  test(`${path} is refused for: ${source}`, () => {
    const violations = violationsIn(path, source);
    assert.equal(violations.length > 0, true, 'expected a violation, found none');
    assert.match(violations.join('\n'), because);
  });
}

const accepted: [path: string, source: string][] = [
  ['src/gateway/a.ts', `// import { x } from '../config/load.ts'; console.log, process.exit\nexport const a = 1;`],
  ['src/gateway/a.ts', `export const text = "import x from '../config/load.ts'";`],
  ['src/gateway/a.ts', `import { x } from '../rollout/decide.ts'; import { y } from '../errors.ts'; export { x, y };`],
  ['src/rollout/bucket.ts', `import { murmur3 } from 'murmurhash-js'; export { murmur3 };`],
  ['src/rollout/a.ts', `export const at = (ms: number) => new Date(ms).toISOString();`],
  ['src/store/a.ts', `import { DatabaseSync } from 'node:sqlite'; export const open = DatabaseSync;`],
  ['src/gateway/a.ts', `import { randomFillSync } from 'node:crypto'; export const fill = randomFillSync;`],
  ['src/main.ts', `process.exit(0);`],
];

for (const [path, source] of accepted) {
  test(`${path} may say: ${source.split('\n')[0]}`, () => assert.deepEqual(violationsIn(path, source), []));
}
