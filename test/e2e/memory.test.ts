// The memory of a real gateway process stays bounded, whatever many clients do: idle, slow, or all at once. The bounds are
// generous; what was measured is in docs/design.md.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request as start } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import { suite, test } from 'node:test';
import { roomWithin } from '../../src/gateway/ingress/connection-room.ts';
import { authority, certificateFile } from '../support/certificates.ts';
import { createGate, eventually } from '../support/eventually.ts';
import { serve, type Serving, startUpstream, temporaryFolder } from '../support/serving.ts';
import { serveWorkers, workerPids, workerPolicy } from '../support/worker-gateway.ts';

const mebibyte = 1_048_576;

/** Needs this many connections in this process and in the gateway's; the message of a skip where they cannot be had. */
function needsConnections(count: number): false | string {
  const limits = tryRead('/proc/self/limits');
  if (limits === '') return 'needs /proc, to see how much memory a process has';
  return roomWithin(limits) > count * 2 + 200 ? false : `needs to have ${count * 2 + 200} files open: ulimit -n`;
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Resident memory of the gateway now. */
function residentBytes({ process: { pid } }: Serving): number {
  const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kibibytes) * 1_024;
}

type Scene = Parameters<typeof temporaryFolder>[0] & { diagnostic(message: string): void };

async function startShop(t: Scene, listener: Parameters<typeof startUpstream>[1], tls = ''): Promise<Serving> {
  const upstream = await startUpstream(t, listener);
  const policy = `version: 1
listen: 127.0.0.1:0
admin: { listen: "127.0.0.1:0" }
${tls}rollouts:
  - name: shop
    versions:
      stable: { servers: [${upstream.url}], timeouts: { connect: 30s } }
      canary: { servers: [${upstream.url}], timeouts: { connect: 30s } }
    split: { canary: 50 }
`;
  return serve(t, temporaryFolder(t), policy);
}

/** Says and checks how much memory the gateway took beyond what it had. */
function weigh(t: Scene, what: string, { before, after, mostMebibytes }: Record<string, number>): void {
  const grown = (after! - before!) / mebibyte;
  t.diagnostic(`${what}: ${(before! / mebibyte).toFixed(0)} MiB before, ${grown.toFixed(0)} MiB more`);
  assert.ok(grown < mostMebibytes!, `expected less than ${mostMebibytes} MiB more, got ${grown.toFixed(0)}`);
}

const get = 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n';

async function answered(socket: Socket): Promise<Socket> {
  socket.write(get);
  await once(socket, 'data');
  return socket;
}

/** Runs `open` so often, a hundred at a time. */
async function openMany(count: number, open: () => Promise<Socket>): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) sockets.push(...(await Promise.all(Array.from({ length: 100 }, open))));
  return sockets;
}

suite('memory', { concurrency: false }, () => {
  test('5,000 idle connections', { skip: needsConnections(5_000) }, async (t) => {
    const gateway = await startShop(t, (_request, response) => response.end('ok'));
    await Promise.all((await openMany(100, () => answered(connect(gateway.port, '127.0.0.1')))).map(gone));
    const before = residentBytes(gateway);
    const idle = await openMany(5_000, () => answered(connect(gateway.port, '127.0.0.1')));
    weigh(t, '5,000 idle connections', { before, after: residentBytes(gateway), mostMebibytes: 150 });
    for (const socket of idle) socket.destroy();
  });

  test('1,000 idle connections over TLS', { skip: needsConnections(1_000) }, async (t) => {
    const tls = `tls: { cert: ${certificateFile('shop.pem')}, key: ${certificateFile('shop.key')} }\n`;
    const gateway = await startShop(t, (_request, response) => response.end('ok'), tls);
    const open = async (): Promise<Socket> => {
      const socket = connectSecurely({ port: gateway.port, host: '127.0.0.1', ca: authority });
      await once(socket, 'secureConnect');
      return answered(socket);
    };
    await Promise.all((await openMany(100, open)).map(gone));
    const before = residentBytes(gateway);
    const idle = await openMany(1_000, open);
    weigh(t, '1,000 idle connections over TLS', { before, after: residentBytes(gateway), mostMebibytes: 200 });
    for (const socket of idle) socket.destroy();
  });

  test('500 clients that take almost nothing of a body of 50 MB', { skip: needsConnections(500) }, async (t) => {
    const piece = Buffer.alloc(65_536, 'x');
    let sentByteCount = 0;
    const gateway = await startShop(t, (_request, response) => {
      response.writeHead(200, { 'Content-Length': 50_000_000 });
      let left = 50_000_000;
      const more = (): void => {
        for (let room = true; room && left > 0; left -= piece.length) {
          sentByteCount += Math.min(left, piece.length);
          room = response.write(piece.subarray(0, Math.min(left, piece.length)));
        }
        if (left <= 0) response.end();
      };
      response.on('drain', more);
      more();
    });
    const before = residentBytes(gateway);
    const slow = await openMany(500, async () => {
      const socket = await answered(connect(gateway.port, '127.0.0.1'));
      return socket.pause();
    });
    // Nothing moves any more once every buffer on the way is full.
    let seen = -1;
    await eventually('the servers are held back', async () => {
      const isStill = seen === sentByteCount;
      seen = sentByteCount;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return isStill;
    });
    assert.ok(sentByteCount < 500 * 25_000_000, 'expected the servers to be held back');
    weigh(t, '500 slow readers of 50 MB', { before, after: residentBytes(gateway), mostMebibytes: 300 });
    for (const socket of slow) socket.destroy();
  });

  test('2,000 requests at once', { skip: needsConnections(2_000) }, async (t) => {
    const gate = createGate();
    let waiting = 0;
    const gateway = await startShop(t, (_request, response) => {
      waiting += 1;
      void gate.opened.then(() => response.end(Buffer.alloc(1_024)));
    });
    const before = residentBytes(gateway);
    const agent = new Agent({ maxSockets: 2_000 });
    const statuses = Array.from(
      { length: 2_000 },
      (_, index) =>
        new Promise<number>((resolve, reject) => {
          const headers = { 'x-user-id': `u-${index}` };
          const request = start({ port: gateway.port, host: '127.0.0.1', agent, headers }, (response) => {
            response.resume().on('end', () => resolve(response.statusCode!));
          });
          request.on('error', reject).end();
        }),
    );
    await eventually('all of them wait', () => waiting === 2_000);
    const after = residentBytes(gateway);
    gate.open();
    assert.deepEqual(new Set(await Promise.all(statuses)), new Set([200]));
    weigh(t, '2,000 requests at once', { before, after, mostMebibytes: 250 });
    agent.destroy();
  });
});

test('a worker begins with a bound on its young generation', async (t) => {
  const folder = temporaryFolder(t);
  const note = join(folder, 'note.cjs');
  writeFileSync(note, `require('node:fs').writeFileSync(\`${folder}/\${process.pid}\`, process.execArgv.join(' '));`);
  process.env['NODE_OPTIONS'] = `--require ${note}`;
  t.after(() => void delete process.env['NODE_OPTIONS']);
  const stable = await startUpstream(t, (_request, response) => response.end('ok'));
  const gateway = await serveWorkers(t, workerPolicy({ stable, canary: stable }, { workers: 2 }));
  const flags = [...workerPids(gateway).values()].map((pid) => readFileSync(join(folder, `${pid}`), 'utf8'));
  assert.deepEqual(flags, ['--max-semi-space-size=16', '--max-semi-space-size=16']);
});

function gone(socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.destroy();
  return closed;
}
