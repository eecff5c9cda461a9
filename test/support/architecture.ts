// The rooms of src/ and what each may import, as data, and the reader that finds what breaks it. Pure: sources in, sentences out.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path/posix';
import { parseSync, Visitor } from 'oxc-parser';

type Room = {
  /** Rooms (folders or files of src/) it may import besides itself. */
  readonly imports: readonly string[];
  /** Pure: nothing from Node or npm, no clock, no chance, no environment. */
  readonly pure: boolean;
};

const pure = (...imports: string[]): Room => ({ imports, pure: true });
const effectful = (...imports: string[]): Room => ({ imports, pure: false });

const l3Rooms = ['config', 'telemetry', 'gateway', 'controller', 'store', 'admin', 'dashboard'];

/** Every room there is; a folder of src/ that is not here is itself a violation. */
const rooms: Readonly<Record<string, Room>> = {
  'errors.ts': pure(),
  'version.ts': effectful(),
  stats: pure(),
  rollout: pure('stats', 'errors.ts'),
  ...Object.fromEntries(l3Rooms.map((room) => [room, effectful('rollout', 'errors.ts')])),
  // The window is made of the same sketches that the checks read.
  telemetry: effectful('stats', 'rollout', 'errors.ts'),
  cli: effectful(...l3Rooms, 'stats', 'rollout', 'errors.ts', 'version.ts', 'app.ts'),
  'app.ts': effectful(
    ...l3Rooms,
    'stats',
    'rollout',
    'errors.ts',
    'version.ts',
    'app-rooms.ts',
    'app-admin.ts',
    'workers',
  ),
  'app-rooms.ts': effectful(
    ...l3Rooms,
    'stats',
    'rollout',
    'errors.ts',
    'version.ts',
    'app-control.ts',
    'app-plane.ts',
    'workers',
  ),
  'app-plane.ts': effectful(...l3Rooms, 'stats', 'rollout', 'errors.ts', 'app-control.ts', 'workers'),
  // Composition, too: the data plane, in this process or in others.
  workers: effectful('config', 'telemetry', 'gateway', 'rollout', 'errors.ts'),
  'worker-main.ts': effectful('workers'),
  'app-control.ts': effectful(
    ...l3Rooms,
    'stats',
    'rollout',
    'errors.ts',
    'app-control-parts.ts',
    'app-upkeep.ts',
    'app-keeping.ts',
    'app-experiments.ts',
  ),
  'app-control-parts.ts': effectful(
    ...l3Rooms,
    'stats',
    'rollout',
    'errors.ts',
    'app-upkeep.ts',
    'app-keeping.ts',
    'app-experiments.ts',
  ),
  'app-upkeep.ts': effectful(...l3Rooms, 'stats', 'rollout', 'errors.ts', 'app-keeping.ts'),
  'app-experiments.ts': effectful(...l3Rooms, 'stats', 'rollout', 'errors.ts', 'app-keeping.ts'),
  'app-keeping.ts': effectful(...l3Rooms, 'stats', 'rollout', 'errors.ts'),
  'app-admin.ts': effectful(...l3Rooms, 'stats', 'rollout', 'errors.ts', 'app-control.ts', 'workers'),
  'main.ts': effectful('cli', 'errors.ts'),
};

/** Where a process begins and ends. */
const processEdges: ReadonlySet<string> = new Set(['main.ts', 'worker-main.ts']);

/** Pure functions from npm that a pure room may call, by file. */
const pureImports: Readonly<Record<string, readonly string[]>> = {
  'src/rollout/bucket.ts': ['murmurhash-js'],
};

/** Files of L3 rooms that may block on the disk, with the reason. */
export const blockingFiles: Readonly<Record<string, string>> = {
  'src/store/sqlite-file.ts': 'runs in the worker thread of the store',
};

/** What a pure room must not touch: the clock, the environment, chance, the network. */
const impureGlobals = new Set([
  'process',
  'performance',
  'crypto',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
]);

/** Calls that hold up the event loop for as long as a disk or another process takes. */
const blockingCalls = new Set(
  [...Object.keys(fs), ...Object.keys(childProcess)].filter((name) => name.endsWith('Sync')),
);

/** Each way in which a file breaks the architecture, as a sentence; none: an empty list. `path` is like `src/stats/normal.ts`. */
export function violationsIn(path: string, source: string): string[] {
  const room = roomOf(path);
  const rules = rooms[room];
  if (rules === undefined) return [`${path}: there is no room "${room}"`];
  const { program, module, errors } = parseSync(path, source);
  if (errors.length > 0) return [`${path}: cannot be parsed: ${errors[0]?.message}`];
  const imported = [
    ...module.staticImports.map((each) => each.moduleRequest.value),
    ...module.staticExports.flatMap((each) => each.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    ...module.dynamicImports.map((each) => literalIn(source.slice(each.moduleRequest.start, each.moduleRequest.end))),
  ];
  const faults = [
    ...new Set(imported.flatMap((specifier) => importFault(path, specifier) ?? [])),
    ...new Set(forbiddenUses(path, program)),
  ];
  return faults.map((fault) => `${path}: ${fault}`);
}

/** Where a file lives: the folder below src/, or its own name for a file directly in it. */
function roomOf(path: string): string {
  return path.split('/')[1] ?? path;
}

/** The text of a string literal; the expression itself where it is computed. */
function literalIn(expression: string): string {
  return /^(['"`])([^'"`$]*)\1$/.exec(expression)?.[2] ?? `(${expression})`;
}

function importFault(path: string, specifier: string): string | null {
  const room = roomOf(path);
  const { imports, pure: isPure } = rooms[room]!;
  if (specifier.startsWith('(')) return `imports a computed name ${specifier}`;
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(path), specifier));
    if (!target.startsWith('src/')) return `imports ${specifier}, which is outside src`;
    const targetRoom = roomOf(target);
    return targetRoom === room || imports.includes(targetRoom) ? null : `${room} must not import ${targetRoom}`;
  }
  if (isPure && !pureImports[path]?.includes(specifier)) return `${room} is pure and must not import ${specifier}`;
  if (!specifier.startsWith('node:') && builtinModules.includes(specifier)) return `imports ${specifier} without node:`;
  if (/^node:(process|console)$/.test(specifier) && !processEdges.has(room)) return `imports ${specifier}`;
  return null;
}

type SyntaxTree = ReturnType<typeof parseSync>['program'];

/** Globals and calls that the room must not use. */
function forbiddenUses(path: string, program: SyntaxTree): string[] {
  const room = roomOf(path);
  const isPure = rooms[room]!.pure;
  const found: string[] = [];
  const refuse = (name: string): void => {
    found.push(`${room} must not use ${name}`);
  };
  new Visitor({
    Identifier: ({ name }) => {
      if (name === 'console' || (isPure && impureGlobals.has(name))) refuse(name);
      if (blockingCalls.has(name) && l3Rooms.includes(room) && !(path in blockingFiles)) refuse(name);
    },
    MemberExpression: ({ object, property, computed }) => {
      if (computed || object.type !== 'Identifier' || property.type !== 'Identifier') return;
      const use = `${object.name}.${property.name}`;
      if (/^process\.(exit|abort|reallyExit|exitCode)$/.test(use) && !processEdges.has(room)) refuse(use);
      if (isPure && /^(Date\.now|Math\.random)$/.test(use)) refuse(use);
    },
    NewExpression: ({ callee, arguments: given }) => {
      if (isPure && callee.type === 'Identifier' && callee.name === 'Date' && given.length === 0) refuse('new Date()');
    },
    VariableDeclarator: ({ id, init }) => {
      if (id.type === 'ObjectPattern' && init?.type === 'Identifier' && init.name === 'process') {
        refuse('process taken apart');
      }
    },
  }).visit(program);
  return found;
}
