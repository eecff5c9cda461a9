// The policy as it may be shown: what the file says, before the environment is filled in, with what is secret masked.
import type { LoadedPolicy } from './load-policy.ts';
import type { Problem } from './problem.ts';

const mask = '***';
/** Keys whose text is secret; a variable's name in its place is not, and stays. */
const secretKeys: ReadonlySet<string> = new Set(['token', 'secret', 'webhook']);

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
  return { loadedMs, fingerprint, document: masked(source.tree, false) };
}

function masked(tree: unknown, isSecret: boolean): unknown {
  if (Array.isArray(tree)) return tree.map((item) => masked(item, isSecret));
  if (typeof tree === 'object' && tree !== null) {
    return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, masked(value, secretKeys.has(key))]));
  }
  if (typeof tree !== 'string') return tree;
  return isSecret && !/^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(tree) ? mask : maskDefaults(tree);
}

/** A default inside `${NAME:-default}` may be a password too. */
function maskDefaults(text: string): string {
  return text.replaceAll(/(\$\{[A-Za-z_][A-Za-z0-9_]*:-)[^}]*\}/g, `$1${mask}}`);
}
