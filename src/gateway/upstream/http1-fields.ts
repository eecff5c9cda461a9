// The grammar of HTTP/1.1 field lines (RFC 9110, 5; RFC 9112, 5), read without leniency: what two readers could frame or split
// differently is refused.

/** What a server sent, or was to be sent, is not HTTP. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtocolError';
  }
}

/** Heads and trailers larger than this are a protocol fault of the server. */
export const maxHeadByteCount = 65_536;

const tokenChars = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/** 1 for each char of a field name. */
const isTokenChar = new Uint8Array(256);
for (let i = 0; i < tokenChars.length; i += 1) isTokenChar[tokenChars.charCodeAt(i)] = 1;
/** 1 for each char of a field value: visible, space, tab, and bytes above ASCII. */
const isValueChar = new Uint8Array(256).fill(1, 0x20).fill(0, 0x7f, 0x80);
isValueChar[0x09] = 1;

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const colon = 0x3a;

/**
 * Reads field lines, each ended by CR LF, from one position of a latin1 text to another: names and values in turn. A line that
 * continues the one before it (obs-fold), a space before the colon or a bare CR or LF is a `ProtocolError`.
 */
export function parseFields(text: string, from: number, end: number): string[] {
  const fields: string[] = [];
  let at = from;
  while (at < end) {
    const nameStart = at;
    let code = text.charCodeAt(at);
    while (isTokenChar[code] === 1) code = text.charCodeAt((at += 1));
    if (code !== colon || at === nameStart) throw new ProtocolError('expected a field name and a colon');
    const name = text.slice(nameStart, at);
    do code = text.charCodeAt((at += 1));
    while (isBlank(code));
    const valueStart = at;
    let valueEnd = at;
    while (isValueChar[code] === 1) {
      if (!isBlank(code)) valueEnd = at + 1;
      code = text.charCodeAt((at += 1));
    }
    if (code !== carriageReturn || text.charCodeAt(at + 1) !== lineFeed) {
      throw new ProtocolError('expected a field value that ends with CR LF');
    }
    fields.push(name, text.slice(valueStart, valueEnd));
    at += 2;
  }
  return fields;
}

/** Whether the text can be a field name or a method. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (isTokenChar[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}

const notInValue = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether the text, one char a byte, can be a field value or a reason phrase. */
export function isFieldValue(text: string): boolean {
  return !notInValue.test(text);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
