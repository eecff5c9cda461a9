// A plain client for tests: one request, everything that came back. No redirects, no decoding, no merging of headers.
import { type Agent, type IncomingMessage, request as start } from 'node:http';

export type Sending = {
  readonly port: number;
  readonly method?: string;
  readonly path?: string;
  /** Names and values in turn; `Host` is added where it is missing. */
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
  readonly agent?: Agent;
};

export type Reply = {
  readonly status: number;
  readonly statusText: string;
  readonly rawHeaders: readonly string[];
  /** One char a byte. */
  readonly body: string;
  readonly rawTrailers: readonly string[];
  /** Interim responses before it. */
  readonly interim: readonly { readonly status: number; readonly rawHeaders: readonly string[] }[];
  header(name: string): string | undefined;
  /** The body as JSON. */
  json(): Record<string, unknown>;
};

/** Sends a request; rejects when the connection fails or the body is cut. */
export function send(sending: Sending): Promise<Reply> {
  const { port, method = 'GET', path = '/', headers = [], body, agent } = sending;
  const hasHost = headers.some((text, index) => index % 2 === 0 && text.toLowerCase() === 'host');
  const all = [...(hasHost ? [] : ['Host', 'shop.test']), ...headers];
  if (body !== undefined) all.push('Content-Length', String(Buffer.byteLength(body)));
  return new Promise((resolve, reject) => {
    const request = start({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: all,
      setHost: false,
      agent: agent ?? false,
    });
    const interim: { status: number; rawHeaders: string[] }[] = [];
    request.on('information', ({ statusCode, rawHeaders }) => interim.push({ status: statusCode, rawHeaders }));
    request.on('error', reject);
    request.on('response', (response) => void readReply(response, interim).then(resolve, reject));
    request.end(body);
  });
}

async function readReply(response: IncomingMessage, interim: Reply['interim']): Promise<Reply> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('latin1');
  const { rawHeaders, rawTrailers } = response;
  return {
    status: response.statusCode!,
    statusText: response.statusMessage!,
    rawHeaders,
    body,
    rawTrailers,
    interim,
    header: (name) => valuesOf(rawHeaders, name)[0],
    json: () => JSON.parse(body) as Record<string, unknown>,
  };
}

/** Raw headers, names and values in turn, from lines as they are written: `Name: value`. */
export function headersOf(...lines: string[]): string[] {
  return lines.flatMap((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]);
}

/** Every value of a header in raw headers, by lower-case name. */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === name);
}
