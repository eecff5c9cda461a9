// Large bodies in both directions: never held, and never taken faster than the other side takes them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { forkGateway } from '../support/gateway-process.ts';
import { send } from '../support/http-client.ts';
import type { TestContext } from '../support/gateways.ts';

const mebibyte = 2 ** 20;
const size = 256 * mebibyte;
/** What both sides' sockets and the gateway's own buffers may hold between them, with room to spare. */
const mostInFlight = 64 * mebibyte;
const mostGrowth = 96 * mebibyte;
const piece = Buffer.from(Array.from({ length: mebibyte }, (_, index) => (index * 31) % 251));

type Sink = { write(chunk: Buffer): boolean; end(): void; once(event: 'drain', listener: () => void): void };

/** Writes the body as fast as it is taken; counts what was handed over. */
function pour(sink: Sink): { sentBytes: number } {
  const progress = { sentBytes: 0 };
  const more = (): void => {
    while (progress.sentBytes < size) {
      progress.sentBytes += piece.length;
      if (!sink.write(piece)) return sink.once('drain', more);
    }
    sink.end();
  };
  more();
  return progress;
}

const digest = createHash('sha1');
for (let hashed = 0; hashed < size; hashed += piece.length) digest.update(piece);
const digestOfBody = digest.digest('hex');

async function startServer(context: TestContext, answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Waits until nothing moves any more. Too early a verdict would only make the test milder, never fail it. */
async function untilStuck(progress: { sentBytes: number }): Promise<void> {
  let last = -1;
  let still = 0;
  await eventually('the stream is stuck', () => {
    still = progress.sentBytes === last ? still + 1 : 0;
    last = progress.sentBytes;
    return still > 100 && last > 0;
  });
}

test('256 MiB go up in constant memory, no faster than the server takes them', async (context) => {
  const held: { request: IncomingMessage | null } = { request: null };
  const hash = createHash('sha1');
  const origin = await startServer(context, (request, response) => {
    if (request.method !== 'PUT') {
      response.end('warm');
      return;
    }
    held.request = request;
    request.on('end', () => response.end(hash.digest('hex')));
  });
  const gateway = await forkGateway(context, origin);
  for (let i = 0; i < 50; i += 1) await send({ port: gateway.port });
  const before = await gateway.peakBytes();
  const client = connect(gateway.port, '127.0.0.1');
  context.after(() => void client.destroy());
  let received = '';
  client.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  client.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  const progress = pour({
    write: (chunk) => client.write(chunk),
    end: () => undefined,
    once: (event, more) => void client.once(event, more),
  });
  await eventually('the server has the head', () => held.request);
  await untilStuck(progress);
  assert.ok(progress.sentBytes < mostInFlight, `${progress.sentBytes} bytes were taken of a body that nobody reads`);
  held.request!.on('data', (chunk: Buffer) => hash.update(chunk));
  await eventually('the digest', () => received.includes(digestOfBody));
  assert.ok((await gateway.peakBytes()) - before < mostGrowth, `${(await gateway.peakBytes()) - before} bytes more`);
});

test('256 MiB come down in constant memory, no faster than the client takes them', async (context) => {
  const pouring: { progress: { sentBytes: number } | null } = { progress: null };
  const origin = await startServer(context, (request, response) => {
    if (request.method === 'POST') pouring.progress = pour(response);
    else response.end('warm');
  });
  const gateway = await forkGateway(context, origin);
  for (let i = 0; i < 50; i += 1) await send({ port: gateway.port });
  const before = await gateway.peakBytes();
  const client = connect(gateway.port, '127.0.0.1');
  context.after(() => void client.destroy());
  client.pause();
  client.write('POST / HTTP/1.0\r\n\r\n');
  const progress = await eventually('the response begins', () => pouring.progress);
  await untilStuck(progress);
  assert.ok(progress.sentBytes < mostInFlight, `${progress.sentBytes} bytes were taken of a body that nobody reads`);
  const hash = createHash('sha1');
  let head: string | null = '';
  client.on('data', (chunk: Buffer) => {
    if (head === null) {
      hash.update(chunk);
      return;
    }
    head += chunk.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    hash.update(Buffer.from(head.slice(end + 4), 'latin1'));
    head = null;
  });
  const ended = new Promise<void>((resolve) => client.on('close', () => resolve()));
  client.resume();
  await ended;
  assert.equal(hash.digest('hex'), digestOfBody);
  assert.ok((await gateway.peakBytes()) - before < mostGrowth, `${(await gateway.peakBytes()) - before} bytes more`);
});
