// Tells that something happened in the folders where a file, or a symbolic link on the way to it, can be replaced.
// Watching the file itself would go blind at the first rename.
import { watch, type FSWatcher } from 'node:fs';
import { lstat, readlink, stat } from 'node:fs/promises';
import { join, parse, resolve, sep } from 'node:path';

/** As many as the kernel follows. */
const maxLinks = 40;

/**
 * The real folders in which a change can change what the path leads to: the file's own, and those of every symbolic link on
 * the way (`policy.yaml`, `..data` of a ConfigMap). Where the path ends early, the last folder that is there.
 */
export async function foldersOnTheWay(path: string): Promise<string[]> {
  const folders = new Set<string>();
  let current = parse(resolve(path)).root;
  const ahead = namesIn(resolve(path));
  for (let links = 0; ahead.length > 0;) {
    const next = join(current, ahead.shift()!);
    const entry = await lstat(next).catch(() => null);
    if (entry?.isSymbolicLink() === true && links < maxLinks) {
      links += 1;
      folders.add(current);
      const target = await readlink(next).catch(() => '.');
      ahead.unshift(...namesIn(target));
      if (resolve(target) === target) current = parse(target).root;
      continue;
    }
    if (entry?.isDirectory() !== true || ahead.length === 0) {
      folders.add(current);
      break;
    }
    current = next;
  }
  return [...folders];
}

/** Watches a changing set of folders. What cannot be watched is left to whoever polls. */
export class FolderWatch {
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Watches just these folders from now on; one that was removed and made anew is watched anew. */
  async follow(folders: Iterable<string>): Promise<void> {
    const wanted = new Map<string, string>();
    for (const folder of folders) {
      const entry = await stat(folder, { bigint: true }).catch(() => null);
      // The number of a removed folder may be given to the next one; the time of its birth is not.
      if (entry !== null) wanted.set([entry.dev, entry.ino, entry.birthtimeNs, folder].join(' '), folder);
    }
    for (const key of this.#watchers.keys()) if (!wanted.has(key)) this.#forget(key);
    for (const [key, folder] of wanted) if (!this.#watchers.has(key)) this.#begin(key, folder);
  }

  close(): void {
    for (const key of this.#watchers.keys()) this.#forget(key);
  }

  #begin(key: string, folder: string): void {
    try {
      const watcher = watch(folder, () => this.#onChange());
      watcher.on('error', () => this.#forget(key));
      this.#watchers.set(key, watcher);
    } catch {
      // No more watches to be had, or a file system without them: the poll sees the change.
    }
  }

  #forget(key: string): void {
    this.#watchers.get(key)?.close();
    this.#watchers.delete(key);
  }
}

function namesIn(path: string): string[] {
  return path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((name) => name !== '' && name !== '.');
}
