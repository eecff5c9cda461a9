// Reads HTTP/1.1 responses out of bytes, strictly, and says of each whether it is whole as a client must judge it.

export type RawReply = {
  readonly status: number;
  readonly statusText: string;
  /** As received, in order. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
  /** The body ended where its framing says. */
  readonly whole: boolean;
  /** The first value of a header, by lower-case name. */
  header(name: string): string | undefined;
};

export type ReplyContext = { readonly methods: readonly string[]; readonly ended: boolean };

/** Every response in the text, one char a byte; `methods` are those of the requests, GET where none is given. */
export function parseReplies(text: string, { methods, ended }: ReplyContext): RawReply[] {
  const replies: RawReply[] = [];
  let at = 0;
  let finals = 0;
  while (at < text.length) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd === -1) break;
    const [statusLine = '', ...lines] = text.slice(at, headEnd).split('\r\n');
    const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(statusLine);
    if (match === null) throw new Error(`expected a status line, got ${JSON.stringify(statusLine)}`);
    const status = Number(match[1]);
    const headers = lines.map(headerOf);
    const bodyless = status < 200 || status === 204 || status === 304 || methods[finals] === 'HEAD';
    if (status >= 200) finals += 1;
    const body = bodyless ? emptyBody(headEnd + 4) : readBody(text, headEnd + 4, { headers, ended });
    const header = (name: string): string | undefined => valueOf(headers, name);
    replies.push({ status, statusText: match[2]!, headers, header, ...body });
    at = body.end;
  }
  return replies;
}

type Body = { body: string; trailers: (readonly [string, string])[]; whole: boolean; end: number };

function emptyBody(end: number): Body {
  return { body: '', trailers: [], whole: true, end };
}

function readBody(text: string, start: number, context: { headers: [string, string][]; ended: boolean }): Body {
  if (valueOf(context.headers, 'transfer-encoding') === 'chunked') return readChunked(text, start);
  const length = valueOf(context.headers, 'content-length');
  if (length === undefined) {
    return { body: text.slice(start), trailers: [], whole: context.ended, end: text.length };
  }
  const end = Math.min(text.length, start + Number(length));
  return { body: text.slice(start, end), trailers: [], whole: end - start === Number(length), end };
}

function readChunked(text: string, start: number): Body {
  let body = '';
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return { body, trailers: [], whole: false, end: text.length };
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) {
      const end = text.indexOf('\r\n\r\n', lineEnd);
      if (end === -1) return { body, trailers: [], whole: false, end: text.length };
      const trailers = text
        .slice(lineEnd + 2, end)
        .split('\r\n')
        .filter(Boolean)
        .map(headerOf);
      return { body, trailers, whole: true, end: end + 4 };
    }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
    if (at > text.length) return { body, trailers: [], whole: false, end: text.length };
  }
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(': ');
  if (colon < 1) throw new Error(`expected a header line, got ${JSON.stringify(line)}`);
  return [line.slice(0, colon), line.slice(colon + 2)];
}

function valueOf(headers: readonly (readonly [string, string])[], name: string): string | undefined {
  return headers.find(([own]) => own.toLowerCase() === name)?.[1];
}
