// Reads the head of an HTTP/1.1 response: what it says, how its body ends, and whether the connection can be used again
// (RFC 9112, 4, 6 and 9). Anything that another reader could frame differently is refused.
import { parseFields, ProtocolError } from './http1-fields.ts';

/** How the end of a body is found. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

export type Head = {
  readonly status: number;
  readonly reason: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: string[];
  readonly framing: Framing;
  /** Bytes of a body of known length; 0 for any other. */
  readonly byteCount: number;
  readonly keepsAlive: boolean;
  /** How long the server says that it keeps the connection (`Keep-Alive: timeout`); null where it does not say. */
  readonly keepAliveMs: number | null;
};

const statusLine = /^HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const begun = 'HTTP/1.1 200 ';

/** Whether a head that is not whole yet can still become one; what begins with another protocol is known at once. */
export function canBecomeHead(text: string): boolean {
  const end = text.indexOf('\r\n');
  if (end !== -1) return statusLine.test(text.slice(0, end));
  const line = text.endsWith('\r') ? text.slice(0, -1) : text;
  if (line.length >= 12) return statusLine.test(line);
  // Whatever is missing of the shortest status line is taken from a sound one.
  return !text.endsWith('\r') && statusLine.test(line + begun.slice(line.length, 12));
}

/**
 * Reads a head from the latin1 text that begins with it; `end` is where its empty line begins (the second CR LF). `method` is that of the request.
 * Throws a `ProtocolError`.
 */
export function parseHead(text: string, end: number, method: string): Head {
  const lineEnd = text.indexOf('\r\n');
  const line = text.slice(0, lineEnd);
  if (!statusLine.test(line)) throw new ProtocolError('expected a status line of HTTP/1.1');
  const status = Number(line.slice(9, 12));
  const rawHeaders = parseFields(text, lineEnd + 2, end);
  const isHttp11 = line.charCodeAt(7) === 0x31;
  const said = readConnectionFields(rawHeaders);
  if (said.isChunked && !isHttp11) throw new ProtocolError('expected no Transfer-Encoding in an HTTP/1.0 response');
  if (said.codings !== '' && said.byteCount !== -1) throw new ProtocolError('expected a length or chunks, got both');
  const isBodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304;
  const framing = isBodiless ? 'none' : said.isChunked ? 'chunked' : said.byteCount === -1 ? 'close' : 'length';
  const keepsAlive = isHttp11 ? !said.isClosing : said.isKeptAlive && !said.isClosing;
  return {
    status,
    reason: line.slice(13),
    rawHeaders,
    framing,
    byteCount: framing === 'length' ? said.byteCount : 0,
    keepsAlive: keepsAlive && framing !== 'close',
    keepAliveMs: said.keepAliveMs,
  };
}

type ConnectionFields = {
  /** -1: not said. */
  byteCount: number;
  codings: string;
  isChunked: boolean;
  isClosing: boolean;
  isKeptAlive: boolean;
  keepAliveMs: number | null;
};

function readConnectionFields(rawHeaders: readonly string[]): ConnectionFields {
  const said = {
    byteCount: -1,
    codings: '',
    isChunked: false,
    isClosing: false,
    isKeptAlive: false,
    keepAliveMs: null,
  };
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    // Their lengths tell most fields apart.
    if (name.length !== 10 && name.length !== 14 && name.length !== 17) continue;
    readConnectionField(said, name.toLowerCase(), rawHeaders[i + 1]!);
  }
  return said;
}

function readConnectionField(said: ConnectionFields, lower: string, value: string): void {
  if (lower === 'content-length') {
    if (said.byteCount !== -1) throw new ProtocolError('expected one Content-Length, got several');
    said.byteCount = parseLength(value);
  } else if (lower === 'transfer-encoding') {
    said.codings += `${said.codings === '' ? '' : ','}${value.toLowerCase()}`;
    said.isChunked = said.codings === 'chunked';
    // Nobody asked for another coding, and the client would not know how to undo it.
    if (!said.isChunked && said.codings !== 'identity') throw new ProtocolError('expected chunked as the only coding');
  } else if (lower === 'connection') {
    for (const option of value.toLowerCase().split(',')) {
      if (option.trim() === 'close') said.isClosing = true;
      else if (option.trim() === 'keep-alive') said.isKeptAlive = true;
    }
  } else if (lower === 'keep-alive') {
    const seconds = /(?:^|[\s,;])timeout\s*=\s*(\d{1,6})/i.exec(value)?.[1];
    if (seconds !== undefined) said.keepAliveMs = Number(seconds) * 1_000;
  }
}

/** A `Content-Length` of digits alone; beyond 2^53 a length cannot be told from its neighbours. */
function parseLength(value: string): number {
  const byteCount = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(byteCount)) throw new ProtocolError('expected a number of bytes as Content-Length');
  return byteCount;
}
