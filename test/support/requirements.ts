// What a test may need from outside npm: programs of Debian packages. A test without its program is skipped with a message
// here, and refused by .ci/run, which installs the packages that this file prints when it is run by itself.
import { accessSync, constants, globSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const debianPackageOf = {
  caddy: 'caddy',
  chromium: 'chromium',
  curl: 'curl',
  h2load: 'nghttp2-client',
  haproxy: 'haproxy',
  nginx: 'nginx-light',
  openssl: 'openssl',
  prometheus: 'prometheus',
  promtool: 'prometheus',
  'redis-server': 'redis-server',
  Rscript: 'r-cran-aer',
  wrk: 'wrk',
} as const;

export type Program = keyof typeof debianPackageOf;

/** The program's path, or null where it is not installed; `sbin` folders count, whatever PATH says. */
export function findProgram(program: Program): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, program)).find(isExecutable) ?? null;
}

/** The `skip` option of a test that runs these programs: false where all are installed, otherwise what to install. */
export function needs(...programs: Program[]): false | string {
  const missing = programs.filter((program) => findProgram(program) === null);
  if (missing.length === 0) return false;
  const packages = new Set(missing.map((program) => debianPackageOf[program]));
  return `needs ${missing.join(', ')}: apt-get install ${[...packages].join(' ')}`;
}

/** The Debian packages behind every call of `needs` in these sources, sorted. */
export function debianPackagesIn(sources: readonly string[]): string[] {
  const calls = sources.flatMap((source) => [...source.matchAll(/\bneeds\(([^)]*)\)/g)].map((call) => call[1] ?? ''));
  const asked = new Set(calls.flatMap((call) => [...call.matchAll(/'([\w-]+)'/g)].map((name) => name[1])));
  const rows = Object.entries(debianPackageOf).filter(([program]) => asked.has(program));
  return [...new Set(rows.map(([, debianPackage]) => debianPackage))].toSorted();
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const files = globSync('test/**/*.test.ts');
  process.stdout.write(`${debianPackagesIn(files.map((file) => readFileSync(file, 'utf8'))).join('\n')}\n`);
}
