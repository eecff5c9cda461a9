// Many exchanges of all sizes, framings and endings at once, over every pair of protocols: each answer belongs to its request,
// each byte is where it was, and what is not whole never looks as if it were.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authority, tlsOf } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestContext } from '../support/gateways.ts';
import { isBeginningOf, seededNumbers } from '../support/marked-bodies.ts';
import { type Behaviour, type Gotten, http1Client, http2Client, type MarkedClient } from '../support/marked-clients.ts';
import { type MarkedServer, type Plan, type ServerKind, startMarkedServer } from '../support/marked-servers.ts';
import { shopPolicy } from '../support/policies.ts';

const seed = 20_261_122;
const exchangeCount = 1_500;
const atOnceCount = 64;

type Route = { readonly client: MarkedClient; readonly server: MarkedServer; readonly name: string };

async function startRoutes(context: TestContext): Promise<Route[]> {
  const routes: Route[] = [];
  for (const kind of ['h1', 'h1-tls', 'h2'] as const satisfies ServerKind[]) {
    const server = await startMarkedServer(context, kind);
    const tls = { ca: authority, cert: null, key: null, servername: null, insecure: false };
    const stable = { servers: [server.origin], http2: kind === 'h2', tls: kind === 'h1-tls' ? tls : null };
    const plain = await startGateway(context, shopPolicy({ stable }));
    const secure = await startGateway(context, shopPolicy({ stable, tls: tlsOf() }));
    routes.push({ client: http1Client(context, plain.port), server, name: `h1 to ${kind}` });
    routes.push({ client: http2Client(context, secure.port), server, name: `h2 to ${kind}` });
  }
  return routes;
}

function planOf(number: number, kind: ServerKind, next: () => number): Plan {
  const chance = (ratio: number): boolean => next() < ratio;
  const size = (): number => (chance(0.1) ? 0 : Math.floor(2 ** (next() * 18.6)));
  const method = chance(0.45) ? 'POST' : chance(0.9) ? 'GET' : 'HEAD';
  const byteCount = size();
  const framing = (['length', 'chunks', 'close'] as const)[Math.floor(next() * 3)]!;
  const cutAt = chance(0.1) ? (chance(0.3) ? -1 : Math.floor(next() * byteCount)) : null;
  // To the platform an end of TLS without its alert is an end like any other.
  const canBeCut = method !== 'HEAD' && (byteCount > 0 || cutAt === -1) && !(kind === 'h1-tls' && framing === 'close');
  return {
    number,
    method,
    sentByteCount: method === 'POST' ? size() : -1,
    byteCount,
    framing,
    cutAt: canBeCut ? cutAt : null,
    // A server that closes before it has read all takes its answer away with it (RFC 9112, 9.6).
    isEarly: method === 'POST' && framing !== 'close' && chance(0.15),
  };
}

function behaviourOf({ byteCount }: Plan, next: () => number): Behaviour {
  const announces = next() < 0.5;
  const isSlow = next() < 0.3;
  const leavesAt = next() > 0.12 ? null : next() < 0.4 ? -1 : Math.floor(next() * byteCount);
  return { announces, isSlow, leavesAt };
}

/** What is wrong with an answer; null: nothing. */
function complaintAbout(plan: Plan, { leavesAt }: Behaviour, gotten: Gotten): string | null {
  const { number, method, byteCount, cutAt, framing } = plan;
  const { status, isWhole, chunks, sum } = gotten;
  const bytes = Buffer.concat(chunks);
  const said = `${status}, number ${gotten.number}, ${bytes.length} of ${byteCount} bytes, whole: ${isWhole}`;
  const mayFail = leavesAt !== null || cutAt !== null;
  if (status === 0) return mayFail ? null : 'no answer';
  if (status !== 200) return cutAt !== null && status === 502 ? null : `unexpected: ${said}`;
  if (gotten.number !== String(number)) return `of another request: ${said}`;
  if (!isBeginningOf(bytes, 2 * number + 1, byteCount)) return `other bytes: ${said}`;
  if (!isWhole) return mayFail ? null : `not whole: ${said}`;
  if (cutAt !== null) return `was cut and looks whole: ${said}`;
  if (bytes.length !== (method === 'HEAD' ? 0 : byteCount)) return `looks whole: ${said}`;
  const hasTrailers = framing === 'chunks' && method !== 'HEAD';
  return sum === (hasTrailers ? String(number) : undefined) ? null : `trailers of another one: ${sum}`;
}

test('no byte is mixed up, lost or made up, whatever goes on beside it', { timeout: 300_000 }, async (context) => {
  const routes = await startRoutes(context);
  const complaints: string[] = [];
  let begunCount = 0;
  let wholeCount = 0;
  const goOn = async (): Promise<void> => {
    while (begunCount < exchangeCount) {
      const number = (begunCount += 1);
      const next = seededNumbers(seed + number);
      const { client, server, name } = routes[number % routes.length]!;
      const plan = planOf(number, server.kind, next);
      const behaviour = behaviourOf(plan, next);
      const gotten = await client(plan, behaviour);
      if (gotten.isWhole) wholeCount += 1;
      const complaint = complaintAbout(plan, behaviour, gotten);
      if (complaint !== null) complaints.push(`${name}: ${complaint} ${JSON.stringify({ plan, behaviour })}`);
    }
  };
  await Promise.all(Array.from({ length: atOnceCount }, goOn));
  for (const { server, name } of routes) complaints.push(...server.complaints.map((text) => `${name}: ${text}`));
  assert.deepEqual(complaints, []);
  assert.ok(wholeCount > exchangeCount / 2, `${wholeCount} whole answers`);
  for (const { server } of routes) await eventually('the end of all requests', () => server.openCount() === 0);
});
