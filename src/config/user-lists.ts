// The files of user IDs that the rules and exclusions of a policy name: found, loaded and kept by name.
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import type { ByteString } from '../rollout/policy.ts';
import { type Path, valueFinding } from './finding.ts';
import type { Problem } from './problem.ts';
import { readFailure, readStable } from './stable-read.ts';
import { readUserFile, type UserFile } from './user-file.ts';
import type { YamlSource } from './yaml-source.ts';

export type UserLists = {
  /** Absolute paths, each once. */
  readonly files: readonly string[];
  /** What stands for the content of each file, in the same order. */
  readonly digests: readonly string[];
  problems(source: YamlSource): Problem[];
  /** The IDs of a file, by its name in the policy; empty for one that could not be read. */
  usersOf(name: string): ReadonlySet<ByteString>;
  /** All that could be read. */
  readonly lists: readonly UserList[];
};

/** `digest` is the same for the same content. */
export type UserList = { readonly name: string; readonly digest: string; readonly users: ReadonlySet<ByteString> };

type Mention = { readonly name: string; readonly path: Path };
type Loaded = UserFile | { readonly ok: false; readonly line: 0; readonly problem: string };

const whenSketch = z.object({ user: z.object({ file: z.string().min(1) }) });
const unreadableHint = 'name a file, relative to the policy file';
const listSketch = z.array(z.unknown()).catch([]);
const rolloutsSketch = z.object({
  rollouts: z.array(z.object({ rules: listSketch, exclude: listSketch }).catch({ rules: [], exclude: [] })),
});

/** Loads every named file, relative to the folder of the policy; also where the policy is wrong in other places. */
export async function loadUserLists(tree: unknown, folder: string): Promise<UserLists> {
  const mentions = findMentions(tree);
  const loaded = new Map<string, Loaded>();
  for (const { name } of mentions) if (!loaded.has(name)) loaded.set(name, await loadUsers(placeOf(name, folder)));
  return {
    files: [...new Set([...loaded.keys()].map((name) => resolve(placeOf(name, folder))))],
    digests: [...loaded].map(([name, list]) => `${name}: ${list.ok ? list.digest : `${list.line} ${list.problem}`}`),
    problems: (source) =>
      mentions.flatMap(({ name, path }) => {
        const list = loaded.get(name)!;
        return list.ok
          ? []
          : [problemOf(list, placeOf(name, folder), source.place(valueFinding(path, list.problem, unreadableHint)))];
      }),
    usersOf(name) {
      const list = loaded.get(name);
      return list?.ok === true ? list.users : new Set();
    },
    lists: [...loaded].flatMap(([name, list]) => (list.ok ? [{ name, digest: list.digest, users: list.users }] : [])),
  };
}

function findMentions(tree: unknown): Mention[] {
  const { rollouts } = rolloutsSketch.safeParse(tree).data ?? { rollouts: [] };
  return rollouts.flatMap(({ rules, exclude }, rollout) => [
    ...rules.flatMap((rule, index) => {
      const { when } = z.object({ when: z.unknown() }).safeParse(rule).data ?? {};
      return mentionIn(when, ['rollouts', rollout, 'rules', index, 'when']);
    }),
    ...exclude.flatMap((when, index) => mentionIn(when, ['rollouts', rollout, 'exclude', index])),
  ]);
}

function mentionIn(when: unknown, path: Path): Mention[] {
  const name = whenSketch.safeParse(when).data?.user.file;
  return name === undefined ? [] : [{ name, path: [...path, 'user', 'file'] }];
}

async function loadUsers(path: string): Promise<Loaded> {
  try {
    return await readStable(path, readUserFile);
  } catch (error) {
    return { ok: false, line: 0, problem: `cannot be read: ${readFailure(error)}` };
  }
}

/** A line that is wrong is shown in its own file, a file that is missing where it is named. */
function problemOf(list: Loaded & { ok: false }, file: string, atMention: Problem): Problem {
  if (list.line === 0) return atMention;
  const hint = 'hint' in list ? list.hint : null;
  return { file, line: list.line, column: 1, path: atMention.path, problem: list.problem, hint };
}

function placeOf(name: string, folder: string): string {
  return isAbsolute(name) ? name : join(folder, name);
}
