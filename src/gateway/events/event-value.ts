// What an event is worth: read from text or from a JSON document as a number, or the reason why it cannot be.

/** `absent`: not where the policy says. `busy`: too many answers waited to be parsed. */
export type UnreadReason = 'absent' | 'not-a-number' | 'not-json' | 'too-large' | 'busy';

export type ValueReading =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly reason: UnreadReason };

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

export function unread(reason: UnreadReason): ValueReading {
  return { ok: false, reason };
}
