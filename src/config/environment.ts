// `${NAME}` and `${NAME:-default}` inside string values. What comes from the environment is never put into a message.
import { accepted, refused, type Reading } from './reading.ts';
import { type Finding, keyFinding, type Path, unquotedFinding } from './finding.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Values of a policy after aliases are followed; more is a bomb, or a list that belongs in a file of its own. */
const maxValues = 200_000;

/**
 * A copy of the tree with its string values replaced; keys stay as they are. `$${` stands for a literal `${`.
 * A value that cannot be replaced stays as written and is found. Aliases are followed, and counted.
 */
export function replaceEnvironment(tree: unknown, environment: Environment): { tree: unknown; findings: Finding[] } {
  const findings: Finding[] = [];
  let count = 0;

  function replace(value: unknown, path: Path): unknown {
    count += 1;
    if (count > maxValues) return null;
    if (typeof value === 'string') return replaceText(value, path);
    if (Array.isArray(value)) return value.map((item, index) => replace(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => [key, replace(item, [...path, key])] as const);
    return Object.fromEntries(entries.filter(([key]) => isKeyAllowed(key, path)));
  }

  function replaceText(text: string, path: Path): string {
    const reading = substitute(text, environment);
    if (reading.ok) return reading.value;
    findings.push(unquotedFinding(path, reading.problem, reading.hint));
    return text;
  }

  function isKeyAllowed(key: string, path: Path): boolean {
    // The one key that means something to JavaScript, and that zod skips in silence.
    if (key !== '__proto__') return true;
    findings.push(keyFinding([...path, key], 'unknown key', null));
    return false;
  }

  const replaced = replace(tree, []);
  if (count > maxValues) {
    const problem = `more than ${maxValues} values, aliases followed`;
    findings.push(unquotedFinding([], problem, 'put long lists of users into a file'));
  }
  return { tree: replaced, findings };
}

/** One string value with its variables replaced; the default counts where the variable is unset or empty, as in a shell. */
export function substitute(text: string, environment: Environment): Reading<string> {
  const missing: string[] = [];
  let isMalformed = false;
  const value = text.replaceAll(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole, body: string | undefined, end: string) => {
    if (body === undefined) return '${';
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(body);
    if (match === null || end === '') {
      isMalformed = true;
      return whole;
    }
    const [, name = '', fallback] = match;
    const found = environment[name];
    if (fallback !== undefined) return found === undefined || found === '' ? fallback : found;
    if (found === undefined) missing.push(name);
    return found ?? '';
  });
  if (isMalformed)
    return refused('a "${" that is not a variable', 'write ${NAME}, ${NAME:-default}, or $${ for a literal ${');
  if (missing.length > 0) {
    const what = missing.length === 1 ? `variable ${missing[0]} is` : `variables ${missing.join(' and ')} are`;
    return refused(`the environment ${what} not set`, `set it, or write \${${missing[0]}:-default}`);
  }
  return accepted(value);
}
