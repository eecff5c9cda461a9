// A policy as it was written, without what must not be seen by who reads it or finds it in the store. Masks too much rather than too little.

export const mask = '***';

/** Keys whose text, and all text below them, is secret. `tokens` itself is a list of entries with names and roles. */
const secretKey = /token|secret|passw(or)?d|credential|authorization|api-?key|session/i;
const openKeys = new Set(['tokens']);

/** A reference to the environment is no secret; its default may be. */
const reference = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;

/** A copy with secrets replaced by `***`. Aliases of the same value are copied each. */
export function maskSecrets(document: unknown): unknown {
  return copy(document, '', false);
}

function copy(value: unknown, key: string, isBelowSecret: boolean): unknown {
  const isSecret = isBelowSecret || (secretKey.test(key) && !openKeys.has(key));
  if (typeof value === 'string') return isSecret || isPrivateKey(value) ? maskWhole(value) : maskInside(value, key);
  if (Array.isArray(value)) return value.map((item) => copy(item, key, isSecret));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, item]) => [name, copy(item, name, isSecret)] as const);
    return Object.fromEntries(entries);
  }
  // A number or true under such a key can be a password that lacks its quotes.
  return isSecret && value !== null ? mask : value;
}

/** The text of one where the name of its file belongs. */
function isPrivateKey(text: string): boolean {
  return /PRIVATE KEY/.test(text);
}

function maskWhole(text: string): string {
  return reference.test(text) ? text : mask;
}

/** Of an address: its user and password, its query, and the path of a webhook, which is how chat programs know who may write. */
function maskInside(text: string, key: string): string {
  if (reference.test(text)) return text;
  const open = text.replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)\S*@/gi, `$1${mask}@`);
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(open)) return key === 'webhook' ? mask : open;
  const withoutQuery = open.replace(/[?#].*$/s, `?${mask}`);
  return key === 'webhook' ? withoutQuery.replace(/^([^/]*:\/\/[^/?#]*)\/.*$/s, `$1/${mask}`) : withoutQuery;
}
