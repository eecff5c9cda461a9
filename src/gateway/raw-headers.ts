// Reading a raw header list: names and values in turn, as received, one char a byte. Must not change it.

/** The parts of an `IncomingMessage` that the data plane reads; `explain` builds one from its options. */
export type RequestLike = {
  readonly method: string;
  /** The request target as sent: origin-form, absolute-form or `*`. */
  readonly url: string;
  readonly rawHeaders: readonly string[];
  /** The address of the connection's other end. */
  readonly remoteAddress: string;
  /** Of the connection itself, whatever a proxy says. */
  readonly scheme: 'http' | 'https';
};

/** First value of a header, by its lower-case name. Cost: linear in the headers. */
export function findHeader(rawHeaders: readonly string[], name: string): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i]!;
    if (candidate.length === name.length && (candidate === name || candidate.toLowerCase() === name)) {
      return rawHeaders[i + 1];
    }
  }
  return undefined;
}

/** All values of a header as one list (RFC 9110, 5.3); empty where it is absent. */
export function joinHeader(rawHeaders: readonly string[], name: string): string {
  let joined = '';
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i]!;
    if (candidate.length === name.length && candidate.toLowerCase() === name) {
      joined = joined === '' ? rawHeaders[i + 1]! : `${joined}, ${rawHeaders[i + 1]!}`;
    }
  }
  return joined;
}
