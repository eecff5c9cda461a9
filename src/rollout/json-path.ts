// A place, or with `null` several places, in a JSON document. Pure.

/** Keys and indexes from the root, as text; null stands for any. */
export type JsonPath = readonly (string | null)[];

/** The value at a path without wildcards; undefined where there is none. Looks at own properties only. */
export function valueAt(document: unknown, path: JsonPath): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step ?? '')) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[step!];
  }
  return value;
}

/** Whether a place is the one that a path names, or below it. */
export function isWithin(place: readonly string[], path: JsonPath): boolean {
  return path.length <= place.length && path.every((step, index) => step === null || step === place[index]);
}

/** A place as people write it: `$.items[0].price`. */
export function showPlace(place: readonly string[]): string {
  const steps = place.map((step) => {
    if (/^\d+$/.test(step)) return `[${step}]`;
    return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  return `$${steps.join('')}`;
}
