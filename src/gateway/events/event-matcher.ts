// Which events a request may be, found by its method and path before anything else of it is read. Built at load.
import type { EventRule } from '../../rollout/experiment.ts';
import type { ByteString } from '../../rollout/policy.ts';
import { PrefixMap } from '../../rollout/prefix-map.ts';

type Filed = { readonly rule: Pick<EventRule, 'methods' | 'paths'> };

export class EventMatcher<Item extends Filed> {
  readonly #byMethod: ReadonlyMap<string, PrefixMap<readonly Item[]>>;
  /** For the methods that no rule names; null: none fits. */
  readonly #others: PrefixMap<readonly Item[]> | null;

  constructor(items: readonly Item[]) {
    const named = new Set(items.flatMap(({ rule }) => rule.methods));
    const taking = (method: string | null): Item[] =>
      items.filter(({ rule }) => rule.methods.length === 0 || (method !== null && rule.methods.includes(method)));
    this.#byMethod = new Map(Array.from(named, (method) => [method, fileByPath(taking(method))]));
    const others = taking(null);
    this.#others = others.length === 0 ? null : fileByPath(others);
  }

  /** In listed order; undefined: no event. Cost: one look at the method, and one a segment of the longest path in the rules. */
  fitting(method: string, path: ByteString): readonly Item[] | undefined {
    return (this.#byMethod.get(method) ?? this.#others)?.get(path);
  }
}

function fileByPath<Item extends Filed>(items: readonly Item[]): PrefixMap<readonly Item[]> {
  const filed = new Map<ByteString, readonly Item[]>();
  for (const item of items) {
    const paths = item.rule.paths.length === 0 ? [''] : item.rule.paths;
    for (const path of new Set(paths)) filed.set(path, [...(filed.get(path) ?? []), item]);
  }
  return new PrefixMap(filed, (inherited, own) => [...new Set([...inherited, ...own])]);
}
