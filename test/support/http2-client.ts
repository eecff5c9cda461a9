// A plain HTTP/2 client for tests: one request, everything that came back. No redirects, no merging of headers.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type SecureClientSessionOptions } from 'node:http2';
import { once } from 'node:events';
import { authority } from './certificates.ts';
import type { TestContext } from './gateways.ts';

export type Http2Reply = {
  readonly status: number;
  /** Names and values in turn, without pseudo-headers. */
  readonly rawHeaders: readonly string[];
  /** One char a byte. */
  readonly body: string;
  readonly rawTrailers: readonly string[];
  /** Interim responses before it: status and raw headers. */
  readonly interim: readonly { readonly status: number; readonly rawHeaders: readonly string[] }[];
  header(name: string): string | undefined;
};

export type Http2Sending = {
  readonly method?: string;
  readonly path?: string;
  /** Names and values in turn; pseudo-headers among them take the place of the usual ones. */
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
  readonly trailers?: Readonly<Record<string, string>>;
};

/** A connection to a gateway; cut when the test ends. */
export async function openHttp2(
  context: TestContext,
  port: number,
  options: SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { ca: authority, ...options });
  session.on('error', () => undefined);
  context.after(() => session.destroy());
  await once(session, 'connect');
  return session;
}

/** Begins a request; its body is the caller's to end. */
export function beginHttp2(session: ClientHttp2Session, sending: Http2Sending = {}): ClientHttp2Stream {
  const { method = 'GET', path = '/', headers = [] } = sending;
  const named = new Set(headers.filter((_, index) => index % 2 === 0));
  const usual = [':method', method, ':path', path, ':scheme', 'https', ':authority', 'shop.test'];
  const missing = usual.filter((_, index) => !named.has(usual[index & ~1]!));
  const stream = session.request([...missing, ...headers] as never, {
    endStream: sending.body === undefined && sending.trailers === undefined,
    waitForTrailers: sending.trailers !== undefined,
  });
  stream.on('error', () => undefined);
  stream.on('wantTrailers', () => stream.sendTrailers(sending.trailers ?? {}));
  return stream;
}

/** Sends a request; rejects when the stream is reset or the connection fails. */
export function sendHttp2(session: ClientHttp2Session, sending: Http2Sending = {}): Promise<Http2Reply> {
  const stream = beginHttp2(session, sending);
  if (sending.body !== undefined || sending.trailers !== undefined) stream.end(sending.body);
  return readHttp2(stream);
}

/** Reads the answer to its end; rejects when the stream is reset or the connection fails. */
export function readHttp2(stream: ClientHttp2Stream): Promise<Http2Reply> {
  return new Promise((resolve, reject) => {
    const interim: { status: number; rawHeaders: string[] }[] = [];
    let head: string[] | null = null;
    let rawTrailers: string[] = [];
    let body = '';
    stream.on('headers', (headers, _flags, raw?: string[]) =>
      interim.push({ status: Number(headers[':status']), rawHeaders: fieldsOf(raw ?? []) }),
    );
    stream.on('response', (_headers, _flags, raw?: string[]) => (head = raw ?? []));
    stream.on('trailers', (_headers, _flags, raw?: string[]) => (rawTrailers = raw ?? []));
    stream.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    stream.on('error', reject);
    stream.on('close', () => {
      if (head === null || stream.rstCode !== 0) {
        reject(new Error(`the stream was reset with ${stream.rstCode}`));
        return;
      }
      const rawHeaders = fieldsOf(head);
      const status = Number(head[head.indexOf(':status') + 1]);
      const header = (name: string): string | undefined => {
        const at = rawHeaders.findIndex((text, index) => index % 2 === 0 && text === name);
        return at === -1 ? undefined : rawHeaders[at + 1];
      };
      resolve({ status, rawHeaders, body, rawTrailers, interim, header });
    });
  });
}

function fieldsOf(raw: readonly string[]): string[] {
  return raw.filter((_, index) => !raw[index & ~1]!.startsWith(':'));
}
