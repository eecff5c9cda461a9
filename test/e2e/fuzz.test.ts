// A hundred thousand random and mutated requests against a real gateway: it goes on serving, nothing of what clients send becomes
// a request of its own behind it, and nothing is left over.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sample } from 'fast-check';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/http-client.ts';
import { parseSamples } from '../support/metric-samples.ts';
import { fuzzedRequest, type FuzzedRequest } from '../support/mutated-requests.ts';
import { serve, temporaryFolder } from '../support/serving.ts';

const requestCount = Number(process.env.GRAYGATE_FUZZ_COUNT ?? 100_000);
const batchCount = 1_000;
const atOnce = 64;
const patienceMs = 20_000;

/** What a server behind the gateway saw. */
type Seen = { count: number; readonly requestIds: Set<string>; readonly wrong: string[] };

test(`${requestCount} mutated requests leave it serving, one request each behind it, and nothing left over`, async (t) => {
  const { seen, url } = await startServer(t);
  const shop = await serve(t, temporaryFolder(t), policyFor(url));
  let residentBefore = 0;
  for (let batch = 0; batch * batchCount < requestCount; batch += 1) {
    const requests = sample(fuzzedRequest, { numRuns: batchCount, seed: batch + 1 });
    await sendAll(shop.port, requests, batch);
    assert.deepEqual(seen.wrong, [], `batch ${batch}`);
    assert.equal((await send({ port: shop.port, path: '/alive' })).status, 200, `batch ${batch}`);
    if (batch === Math.floor(requestCount / batchCount / 5)) residentBefore = residentBytesOf(shop.process.pid!);
  }
  await eventually('everything to end', async () => (await sumOf(shop.adminUrl, 'graygate_requests_in_flight')) === 0);
  const forwarded = await sumOf(shop.adminUrl, 'graygate_requests_total', (labels) => labels.version !== '');
  const retried = await sumOf(shop.adminUrl, 'graygate_retries_total');
  assert.ok(
    seen.count <= forwarded + retried,
    `${seen.count} requests behind, ${forwarded} and ${retried} retries before`,
  );
  assert.ok(
    seen.count > requestCount / 20,
    `only ${seen.count} requests came through: the fuzz is too wild to test anything`,
  );
  const grownMebibytes = (residentBytesOf(shop.process.pid!) - residentBefore) / 2 ** 20;
  assert.ok(grownMebibytes < 150, `${Math.round(grownMebibytes)} MiB more than after a fifth of the requests`);
  assert.deepEqual(
    shop.log.filter(({ level }) => level >= 50),
    [],
  );
});

function policyFor(url: string): string {
  return `
version: 1
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
store: sqlite:graygate.db
timeouts: { header: 2s, idle: 2s }
rollouts:
  - name: shop
    versions:
      stable: { servers: [${url}] }
      canary: { servers: [${url.replace('127.0.0.1', '127.0.0.2')}] }
    split: { canary: 50 }
`;
}

/** Counts every request that it can make out, and notes what the gateway should never have sent. */
async function startServer(t: { after(fn: () => void): void }): Promise<{ seen: Seen; url: string }> {
  const seen: Seen = { count: 0, requestIds: new Set(), wrong: [] };
  const server = createServer({ insecureHTTPParser: true, maxHeaderSize: 65_536 }, (request, response) => {
    seen.count += 1;
    const own = request.rawHeaders
      .filter((text, i) => i % 2 === 0 && /^x[-_]graygate[-_]/i.test(text))
      .join()
      .toLowerCase();
    const requestId = String(request.headers['x-request-id']);
    const { rawHeaders, method, url } = request;
    const isKnown = own === 'x-graygate-rollout,x-graygate-version' && request.headers['x-graygate-rollout'] === 'shop';
    if (!isKnown) seen.wrong.push(`${method} ${url}: ${JSON.stringify(rawHeaders)}`);
    if (seen.requestIds.has(requestId)) seen.wrong.push(`the request ID ${requestId} came twice`);
    seen.requestIds.add(requestId);
    request.resume();
    request.on('end', () => response.end('done'));
    request.on('error', () => undefined);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A request that its client broke off ends in the middle here too; anything else the gateway should not have sent.
    if (error.code?.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE')
      seen.wrong.push(`${error.code}: ${JSON.stringify(String((error as { rawPacket?: Buffer }).rawPacket))}`);
    socket.destroy();
  });
  server.on('upgrade', (request, socket) => {
    seen.count += 1;
    if (request.headers['x-graygate-rollout'] !== 'shop') seen.wrong.push(`upgrade ${request.url}`);
    socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { seen, url: `http://127.0.0.1:${(server.address() as { port: number }).port}` };
}

async function sendAll(port: number, requests: readonly FuzzedRequest[], batch: number): Promise<void> {
  let next = 0;
  const sendNext = async (): Promise<void> => {
    while (next < requests.length) {
      const number = next;
      next += 1;
      await sendOne(port, requests[number]!, `batch ${batch}, request ${number}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sendNext));
}

/** Sends the pieces and the end of the stream; resolves when the gateway has closed. */
function sendOne(port: number, pieces: FuzzedRequest, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Many addresses of the loopback network have many ports.
    const socket = connect({
      port,
      host: '127.0.0.1',
      localAddress: `127.0.1.${1 + ((port + pieces[0]!.length) % 200)}`,
    });
    socket.setTimeout(patienceMs, () =>
      reject(
        new Error(
          `${name} is not closed after ${patienceMs} ms: ${JSON.stringify(Buffer.concat(pieces).toString('latin1'))}`,
        ),
      ),
    );
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
    const writeFrom = (index: number): void => {
      if (index === pieces.length) socket.end();
      else socket.write(pieces[index]!, () => setImmediate(writeFrom, index + 1));
    };
    writeFrom(0);
  });
}

async function sumOf(
  adminUrl: string,
  name: string,
  fits: (labels: Readonly<Record<string, string>>) => boolean = () => true,
): Promise<number> {
  const answer = await fetch(`${adminUrl}/metrics`);
  const samples = parseSamples(await answer.text()).filter((each) => each.name === name && fits(each.labels));
  return samples.reduce((sum, { value }) => sum + value, 0);
}

function residentBytesOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1_024;
}
