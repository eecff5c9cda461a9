// Hot reload: notices that the policy, or a file that it names, has changed, waits until the writer is done, and loads it whole.
// Says what came of it and decides nothing: the caller puts a policy into force.
import { setTimeout as wait } from 'node:timers/promises';
import type { Policy } from '../rollout/policy.ts';
import type { Environment } from './environment.ts';
import {
  ageMs,
  changedFiles,
  looksUnfinished,
  outlineOf,
  signaturesOf,
  type Outline,
  type Signatures,
} from './file-states.ts';
import { foldersOnTheWay, FolderWatch } from './folder-watch.ts';
import { loadPolicy, type LoadedPolicy } from './load-policy.ts';
import type { Problem } from './problem.ts';

export type WatchOptions = {
  readonly file: string;
  readonly env: Environment;
  /** What is in force when the watch begins. */
  readonly loaded: LoadedPolicy;
  /** A changed policy that has no problem, or the old one again after a bad one. Must not throw. */
  onLoaded(policy: Policy, loaded: LoadedPolicy): void;
  /** A changed policy that has problems; nothing was taken of it. Must not throw. */
  onRejected(problems: readonly Problem[]): void;
  /** How long the files must have been left alone; default 100. */
  readonly quietMs?: number;
  /** The same for a file that looks half-written; default 2,000. */
  readonly unfinishedMs?: number;
  /** How often to look without being told to; default 10,000. */
  readonly pollMs?: number;
};

export type PolicyWatch = {
  /** Loads now, whether or not anything seems to have changed; resolves when the callback has been called. */
  reload(): Promise<void>;
  /** Resolves when no callback will come any more. */
  close(): Promise<void>;
};

/** Begins to watch. Changes made since `loaded` was loaded are noticed too. */
export async function watchPolicy(options: WatchOptions): Promise<PolicyWatch> {
  const watch = new Watch(options);
  await watch.begin();
  return watch;
}

class Watch implements PolicyWatch {
  readonly #options: WatchOptions;
  readonly #folders = new FolderWatch(() => this.#lookSoon());
  readonly #closing = new AbortController();
  #files: readonly string[];
  /** Of the content that the last callback was about. */
  #fingerprint: string;
  #seen: Signatures = new Map();
  /** Of the files as they were last taken: what a half-written one is told from. */
  #outlines = new Map<string, Outline | null>();
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #loading: Promise<void> = Promise.resolve();
  #soon: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#files = options.loaded.files;
    this.#fingerprint = options.loaded.fingerprint;
  }

  async begin(): Promise<void> {
    await this.#follow();
    // Nothing has been seen yet, so this compares content with what was loaded.
    await this.#load(false);
    this.#poll = setInterval(() => this.#lookSoon(), this.#options.pollMs ?? 10_000);
  }

  reload(): Promise<void> {
    return this.#load(true);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#poll);
    clearTimeout(this.#soon);
    this.#folders.close();
    await this.#looking;
    await this.#loading;
    this.#folders.close();
  }

  #lookSoon(): void {
    if (this.#closing.signal.aborted) return;
    // One look for a burst, and at most fifty a second in a folder where much is going on.
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#lookAgain = true;
      this.#looking ??= this.#look().finally(() => (this.#looking = null));
    }, 20);
  }

  async #look(): Promise<void> {
    while (this.#lookAgain && !this.#closing.signal.aborted) {
      this.#lookAgain = false;
      await this.#follow();
      const now = await signaturesOf(this.#files);
      if (changedFiles(this.#seen, now).length === 0) continue;
      const settled = await this.#settledAs(now);
      if (settled !== null) await this.#load(false, settled);
    }
  }

  /** How the files are once they were left alone for long enough; null when the watch is closed or they were loaded meanwhile. */
  async #settledAs(first: Signatures): Promise<Signatures | null> {
    const { quietMs = 100, unfinishedMs = 2_000 } = this.#options;
    let signatures = first;
    let sinceMs = performance.now();
    let neededMs = (await this.#seemUnfinished(signatures, unfinishedMs)) ? unfinishedMs : quietMs;
    while (performance.now() - sinceMs < neededMs) {
      await wait(Math.min(quietMs, neededMs), undefined, { signal: this.#closing.signal }).catch(() => undefined);
      if (this.#closing.signal.aborted) return null;
      const now = await signaturesOf(this.#files);
      if (changedFiles(this.#seen, now).length === 0) return null;
      if (changedFiles(signatures, now).length === 0) continue;
      signatures = now;
      sinceMs = performance.now();
      neededMs = (await this.#seemUnfinished(signatures, unfinishedMs)) ? unfinishedMs : quietMs;
    }
    return signatures;
  }

  async #seemUnfinished(now: Signatures, unfinishedMs: number): Promise<boolean> {
    for (const file of changedFiles(this.#seen, now)) {
      const isOld = (await ageMs(file, Date.now())) >= unfinishedMs;
      if (!isOld && looksUnfinished(this.#outlines.get(file) ?? null, await outlineOf(file))) return true;
    }
    return false;
  }

  /** Loads after whatever load is under way; with `settled` only where the files stay like that while they are read. */
  #load(isAsked: boolean, settled: Signatures | null = null): Promise<void> {
    this.#loading = this.#loading.then(() => this.#loadNow(isAsked, settled));
    return this.#loading;
  }

  async #loadNow(isAsked: boolean, settled: Signatures | null): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const { file, env } = this.#options;
    // Signatures are taken before the files are read: what changes later differs from them.
    let seen = await signaturesOf(this.#files);
    let result = await loadPolicy(file, env);
    if (result.files.some((each) => !seen.has(each))) {
      seen = await signaturesOf(result.files);
      result = await loadPolicy(file, env);
    }
    if (settled !== null && changedFiles(settled, await signaturesOf([...settled.keys()])).length > 0) {
      // Somebody began to write again: what was read may be half of it.
      this.#lookAgain = true;
      return;
    }
    this.#files = result.files;
    this.#seen = seen;
    if (result.ok) await this.#outline(result.files);
    await this.#follow();
    if (this.#closing.signal.aborted || (!isAsked && result.fingerprint === this.#fingerprint)) return;
    this.#fingerprint = result.fingerprint;
    if (result.ok) this.#options.onLoaded(result.policy, result);
    else this.#options.onRejected(result.problems);
  }

  async #outline(files: readonly string[]): Promise<void> {
    this.#outlines.clear();
    for (const file of files) this.#outlines.set(file, await outlineOf(file));
  }

  async #follow(): Promise<void> {
    const folders = await Promise.all(this.#files.map((file) => foldersOnTheWay(file)));
    if (!this.#closing.signal.aborted) await this.#folders.follow(new Set(folders.flat()));
  }
}
