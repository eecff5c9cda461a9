// Finds out what graygate really has, so that the documents can be held against it.
import { parseSync, Visitor } from 'oxc-parser';
import { z } from 'zod';

/** A key of the policy as the documents write it (`rollouts[].split.NAME`) and its default, null where there is none. */
export type PolicyKey = { readonly key: string; readonly defaultValue: unknown; readonly isRequired: boolean };

type JsonSchema = {
  default?: unknown;
  required?: string[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  const?: unknown;
};

/** Every key a policy may have. The forms of a matcher are the same under every condition and are listed once, under `MATCHER`. */
export function policyKeysOf(schema: z.core.$ZodType): PolicyKey[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const found = new Map(keysBelow(root, '').map((each) => [each.key, each]));
  return [...found.values()].toSorted((a, b) => a.key.localeCompare(b.key));
}

function keysBelow(schema: JsonSchema, path: string): PolicyKey[] {
  const named = Object.entries(schema.properties ?? {}).flatMap(([name, below]) => {
    const key = keyAt(path, name);
    const isRequired = schema.required?.includes(name) ?? false;
    return [{ key, defaultValue: scalarDefault(below), isRequired }, ...keysBelow(below, key)];
  });
  const free = typeof schema.additionalProperties === 'object' ? keysUnderNames(schema.additionalProperties, path) : [];
  const items = schema.items === undefined ? [] : keysOfItems(schema.items, path);
  return [...named, ...free, ...items, ...formsOf(schema).flatMap((each) => keysBelow(each, path))];
}

/** The forms a value may have; where a mapping may stand, a list of such mappings has no keys of its own. */
function formsOf({ anyOf = [] }: JsonSchema): JsonSchema[] {
  const alone = new Set(anyOf.map((form) => JSON.stringify(form)));
  return anyOf.filter(({ items }) => items?.properties === undefined || !alone.has(JSON.stringify(items)));
}

/** Items that are told apart by their `metric` are listed under it: `checks[latency].quantiles`. */
function keysOfItems(items: JsonSchema, path: string): PolicyKey[] {
  if (items.oneOf === undefined) return keysBelow(items, `${path}[]`);
  return items.oneOf.flatMap((each) => keysBelow(each, `${path}[${String(each.properties?.metric?.const)}]`));
}

function keysUnderNames(schema: JsonSchema, path: string): PolicyKey[] {
  return [{ key: `${path}.NAME`, defaultValue: null, isRequired: false }, ...keysBelow(schema, `${path}.NAME`)];
}

function keyAt(path: string, name: string): string {
  if (/\.(when|exclude\[\]|on)\.\w+(\.NAME)?$/.test(path)) return `MATCHER.${name}`;
  return path === '' ? name : `${path}.${name}`;
}

function scalarDefault({ default: value }: JsonSchema): unknown {
  const isEmptyMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isEmptyMapping ? null : (value ?? null);
}

/** The routes that a source adds to a Fastify instance, as `GET /path`. */
export function routesIn(path: string, source: string): string[] {
  const found: string[] = [];
  new Visitor({
    CallExpression: ({ callee, arguments: [first] }) => {
      if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return;
      if (!/^(get|post|put|patch|delete)$/.test(callee.property.name)) return;
      if (first?.type !== 'Literal' || typeof first.value !== 'string' || !first.value.startsWith('/')) return;
      found.push(`${callee.property.name.toUpperCase()} ${first.value.replaceAll(/:(\w+)/g, '{$1}')}`);
    },
  }).visit(parseSync(path, source).program);
  return found;
}

/** The verbs in what `graygate --help` prints. */
export function verbsIn(help: string): string[] {
  const listed = /^Verbs:\n((?: .*\n?)+)/m.exec(help)?.[1] ?? '';
  return Array.from(listed.matchAll(/^ {2}([a-z][a-z-]*)/gm), (line) => line[1] ?? '').toSorted();
}

/** The metrics in what `GET /metrics` answers, graygate's own only. */
export function metricsIn(exposition: string): string[] {
  return Array.from(exposition.matchAll(/^# TYPE (graygate_\w+)/gm), (line) => line[1] ?? '').toSorted();
}
