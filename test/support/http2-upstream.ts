// A server that speaks HTTP/2 as the platform does, plain or over TLS, and records what it was asked.
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from './gateways.ts';

export type Http2Upstream = {
  readonly origin: string;
  readonly port: number;
  readonly server: Http2Server;
  readonly sessions: ServerHttp2Session[];
  /** The raw header list of each request. */
  readonly heads: string[][];
};

export type Http2Answer = (stream: ServerHttp2Stream, rawHeaders: string[]) => void;

/** Runs until the test ends. With `tls` it listens with TLS. */
export async function startHttp2Upstream(
  context: TestContext,
  answer: Http2Answer,
  { tls, ...options }: SecureServerOptions & { tls?: SecureServerOptions } = {},
): Promise<Http2Upstream> {
  const server: Http2Server = tls === undefined ? createServer(options) : createSecureServer({ ...options, ...tls });
  const sessions: ServerHttp2Session[] = [];
  const heads: string[][] = [];
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream, _headers, _flags, rawHeaders) => {
    heads.push(rawHeaders);
    stream.on('error', () => undefined);
    answer(stream, rawHeaders);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, port, server, sessions, heads };
}

/** Answers with what it was sent. */
export const echo: Http2Answer = (stream) => {
  stream.respond({ ':status': 200 });
  stream.pipe(stream);
};

/** Answers 200 with this body. */
export function saying(text: string): Http2Answer {
  return (stream) => {
    stream.respond({ ':status': 200 });
    stream.end(text);
  };
}
