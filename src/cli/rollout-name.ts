// The name of a rollout as an argument of verbs that ask a running gateway.
import { InvalidArgumentError } from 'commander';

/** Reads a name as the policy allows it, so that nothing else becomes part of a URL. For commander's `argParser`. */
export function rolloutName(text: string): string {
  if (!/^[a-z][a-z0-9-]*$/.test(text)) throw new InvalidArgumentError('expected the name of a rollout, such as shop');
  return text;
}
