// What a user installs: the packed tarball runs elsewhere with nothing but its declared dependencies, and says what it needs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { run } from './support/run.ts';

const manifest: { version: string; dependencies: Record<string, string>; files: string[] } = JSON.parse(
  readFileSync('package.json', 'utf8'),
);
type Lock = {
  packages: Record<string, { resolved?: string; integrity?: string; optionalDependencies?: Record<string, string> }>;
};
const bin = 'bin/graygate.js';

suite('the packed tarball', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graygate-package-'));
  const installed = join(folder, 'elsewhere/node_modules/graygate');
  const graygate = (...args: string[]) => run(process.execPath, [join(installed, bin), ...args], { cwd: folder });

  before(async () => {
    const source = join(folder, 'source');
    copySources(source);
    const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: source });
    assert.equal(packed.code, 0, packed.stderr);
    mkdirSync(installed, { recursive: true });
    const tarball = join(folder, `graygate-${manifest.version}.tgz`);
    const unpacked = await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
    assert.equal(unpacked.code, 0, unpacked.stderr);
    linkDependencies(dirname(installed));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test('says its version', async () => {
    assert.deepEqual(await graygate('--version'), { code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  test('validates a policy that it brings', async () => {
    const result = await graygate('validate', '--config', join(installed, 'config/minimal.yaml'));
    assert.equal(result.code, 0, result.stderr);
  });

  test('runs its demo: gateway, shops and customers', async () => {
    const result = await graygate('demo', '--port', '0', '--admin-port', '0', '--duration', '1s');
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /127\.0\.0\.1:\d+/);
  });

  test('holds compiled code, policies and documents, and no source, test or benchmark', () => {
    const files = globSync('**/*', { cwd: installed, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1));
    assert.ok(paths.includes('dist/main.js'));
    assert.deepEqual(
      paths.filter((path) => /^(src|test|bench|\.ci|node_modules)\/|\.ts$/.test(path)),
      [],
    );
    for (const path of ['LICENSE', 'README.md', 'CHANGELOG.md', 'config/minimal.yaml', 'docs/errors.md']) {
      assert.ok(paths.includes(path), `expected ${path} in the tarball`);
    }
  });
});

test('from a checkout it says its version', async () => {
  assert.deepEqual(await run(process.execPath, [bin, '--version']), {
    code: 0,
    stdout: `${manifest.version}\n`,
    stderr: '',
  });
});

const olderNodes = findOlderNodes();

for (const node of olderNodes) {
  test(`with the older ${node} it says in one line what it needs, and exits 2`, async () => {
    assertRefusal(await run(node, [bin, '--version']));
  });
}

test('with a Node.js that calls itself 20 it says in one line what it needs, and exits 2', async () => {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.0' } });`;
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`;
  assertRefusal(await run(process.execPath, ['--import', preload, bin, '--version']));
});

test('the lock file names no registry, and every package by its hash', () => {
  const text = readFileSync('package-lock.json', 'utf8');
  const lock: Lock = JSON.parse(text);
  const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
  assert.ok(packages.length > 50, `expected the whole tree, found ${packages.length} packages`);
  assert.deepEqual(
    packages.filter(([, { resolved, integrity }]) => resolved !== undefined || integrity === undefined),
    [],
  );
  assert.doesNotMatch(text, /registry|npmjs|verdaccio|artifactory/);
});

test('the lock file has every platform of every package, without which npm ci refuses it', () => {
  const lock: Lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const optional = Object.values(lock.packages).flatMap((each) => Object.keys(each.optionalDependencies ?? {}));
  assert.ok(optional.length > 20, `expected platform packages, found ${optional.length}`);
  assert.deepEqual(
    optional.filter((name) => !(`node_modules/${name}` in lock.packages)),
    [],
  );
});

function assertRefusal(result: Awaited<ReturnType<typeof run>>): void {
  assert.equal(result.code, 2);
  assert.equal(result.stdout, '');
  assert.match(result.stderr, /^graygate needs Node\.js 24 or newer; this is [\d.]+\. [^\n]+\n$/);
}

/** A copy of what is packed, so that a build in the checkout, or next to this one, is not touched. */
function copySources(target: string): void {
  for (const path of ['package.json', 'README.md', 'LICENSE', 'src', 'tsconfig.json', 'tsconfig.build.json']) {
    if (existsSync(path)) cpSync(path, join(target, path), { recursive: true });
  }
  for (const path of manifest.files)
    if (existsSync(path) && path !== 'dist') cpSync(path, join(target, path), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(target, 'node_modules'));
}

/** What an install lays beside the package: its declared dependencies and no other, so that an undeclared one is missed. */
function linkDependencies(nodeModules: string): void {
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(nodeModules, name)), { recursive: true });
    symlinkSync(join(process.cwd(), 'node_modules', name), join(nodeModules, name));
  }
}

function findOlderNodes(): string[] {
  const paths = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  const programs = new Set(paths.filter((path) => existsSync(path)).map((path) => realpathSync(path)));
  return [...programs].filter(isOlder);
}

function isOlder(node: string): boolean {
  const result = spawnSync(node, ['--version'], { encoding: 'utf8' });
  return Number(/^v(\d+)\./.exec(result.stdout)?.[1] ?? 24) < 24;
}
