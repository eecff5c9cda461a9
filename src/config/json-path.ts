// Places in a JSON document as people write them: $.total, $.items[0].price, $.items[*].id. Keys and indexes only: no filters.
import type { JsonPath } from '../rollout/json-path.ts';
import { accepted, refused, type Reading } from './reading.ts';

const longestPath = 200;
const step = /\.([A-Za-z_][A-Za-z0-9_-]*|\*)|\[(\d{1,6}|\*)\]|\["([^"\\]{1,100})"\]/y;
const hint = 'write a path from the root such as $.total or $.items[0].price';

/** `$.a["b c"][0]` as its steps; `*` (any key, any index) where `wildcards` allows it. */
export function parseJsonPath(written: unknown, { wildcards }: { wildcards: boolean }): Reading<JsonPath> {
  const path = String(written);
  if (!path.startsWith('$') || path.length > longestPath) return refused('is not a path in a JSON document', hint);
  const steps: (string | null)[] = [];
  for (let at = 1; at < path.length; at = step.lastIndex) {
    step.lastIndex = at;
    const found = step.exec(path);
    if (found === null) return refused('is not a path in a JSON document', hint);
    const [, name, index, quoted] = found;
    const isAny = name === '*' || index === '*';
    if (isAny && !wildcards) return refused('names more than one place', hint);
    steps.push(isAny ? null : (quoted ?? name ?? index)!);
  }
  return accepted(steps);
}
