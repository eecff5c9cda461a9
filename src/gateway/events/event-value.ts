// What an event is worth: read from text or from a JSON document as a number, or the reason why it cannot be.

/**
 * `absent`: not where the policy says. `unknown-coding`: packed in a way that is not understood. `busy`: too many answers waited
 * to be read.
 */
export type UnreadReason = 'absent' | 'not-a-number' | 'not-json' | 'unknown-coding' | 'too-large' | 'busy';

export type UnreadValue = { readonly ok: false; readonly reason: UnreadReason };
export type ValueReading = { readonly ok: true; readonly value: number } | UnreadValue;

/** Values are sums of money and the like: counters and sums of squares must stay exact enough. */
const largestValue = 1e12;

/** Text such as `59.90`, or a number. Undefined: there is none. */
export function readValue(found: unknown): ValueReading {
  if (found === undefined || found === null || found === '') return unread('absent');
  if (typeof found === 'string') {
    const text = found.trim();
    return /^\d{1,13}(?:\.\d{1,20})?$/.test(text) ? readValue(Number(text)) : unread('not-a-number');
  }
  const isValue = typeof found === 'number' && found >= 0 && found <= largestValue;
  return isValue ? { ok: true, value: found } : unread('not-a-number');
}

export function unread(reason: UnreadReason): UnreadValue {
  return { ok: false, reason };
}
