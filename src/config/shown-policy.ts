// The policy as it may be shown: what the file says, before the environment is filled in, with what is secret masked.
import { maskSecrets } from './mask-secrets.ts';
import type { LoadedPolicy } from './load-policy.ts';
import type { Problem } from './problem.ts';

/** What a screen may show of the policy in force, and of the last file that was refused since. */
export class ShownPolicy {
  #current: { readonly loadedMs: number; readonly fingerprint: string; readonly document: unknown };
  #rejected: { readonly atMs: number; readonly problems: readonly Problem[] } | null = null;

  constructor(loaded: LoadedPolicy, nowMs: number) {
    this.#current = shownOf(loaded, nowMs);
  }

  loaded(loaded: LoadedPolicy, nowMs: number): void {
    this.#current = shownOf(loaded, nowMs);
    this.#rejected = null;
  }

  rejected(problems: readonly Problem[], nowMs: number): void {
    this.#rejected = { atMs: nowMs, problems };
  }

  current() {
    return this.#current;
  }

  lastRejected() {
    return this.#rejected;
  }
}

function shownOf({ source, fingerprint }: LoadedPolicy, loadedMs: number) {
  return { loadedMs, fingerprint, document: maskSecrets(source.tree) };
}
