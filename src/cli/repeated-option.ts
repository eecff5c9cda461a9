// Options that may be given many times, each as NAME=VALUE.
import { InvalidArgumentError } from 'commander';
import type { NamedValue } from '../rollout/asked-user.ts';

/** Reads one more `NAME=VALUE`; the value may hold further `=` and may be empty. For commander's `argParser`. */
export function collectNamedValue(text: string, earlier: readonly NamedValue[] = []): readonly NamedValue[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('expected NAME=VALUE');
  return [...earlier, { name: text.slice(0, at), value: text.slice(at + 1) }];
}
