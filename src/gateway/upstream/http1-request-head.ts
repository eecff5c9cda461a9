// Writes the head of an HTTP/1.1 request. Nothing leaves here that a server could read as more than one request, or could
// frame otherwise than the client that asked for it.
import { isFieldValue, isToken } from './http1-fields.ts';
import { NameCache } from './name-cache.ts';
import type { UpstreamRequest } from './upstream-client.ts';
import { UnsendableError } from './unsendable.ts';

export type RequestHead = {
  /** Ready to be written as latin1, the empty line included. */
  readonly text: string;
  /** The length that it announces; null: the body goes in chunks. 0 where there is none. */
  readonly byteCount: number | null;
};

const notInTarget = /[^\x21-\x7e\x80-\xff]/;

/** Names as clients spell them → whether they are tokens. */
const soundNames = new NameCache<boolean>();

/** The head of a request. Throws an `UnsendableError` for one that must not be sent. */
export function renderRequestHead({ method, path, headers, body }: UpstreamRequest): RequestHead {
  if (!isSoundName(method)) throw new UnsendableError('expected a token as the method');
  if (path === '' || notInTarget.test(path)) throw new UnsendableError('expected a path of visible characters');
  let text = `${method} ${path} HTTP/1.1\r\n`;
  let announced: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (!isSoundName(name)) throw new UnsendableError('expected a token as the name of a header');
    if (!isFieldValue(value)) throw new UnsendableError('expected a header value without control characters');
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (announced !== null) throw new UnsendableError('expected one Content-Length');
      announced = value;
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      throw new UnsendableError('expected no Transfer-Encoding from outside');
    }
    text += `${name}: ${value}\r\n`;
  }
  // Servers of HTTP/1.0 keep the connection only when asked.
  text += 'Connection: keep-alive\r\n';
  const byteCount = announced === null ? null : lengthOf(announced);
  if (body === null) {
    if (byteCount !== null && byteCount > 0) throw new UnsendableError('expected a body of the length it announces');
    return { text: `${text}\r\n`, byteCount: 0 };
  }
  return { text: byteCount === null ? `${text}Transfer-Encoding: chunked\r\n\r\n` : `${text}\r\n`, byteCount };
}

function lengthOf(text: string): number {
  const byteCount = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(byteCount)) throw new UnsendableError('expected a number of bytes as Content-Length');
  return byteCount;
}

function isSoundName(name: string): boolean {
  return soundNames.get(name) ?? soundNames.add(name, isToken(name));
}
