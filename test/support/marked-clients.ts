// Clients of either protocol that send what a plan says, read as slowly as it says, leave when it says, and tell what they got.
import { Agent, request as requestHttp1 } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { authority } from './certificates.ts';
import type { TestContext } from './gateways.ts';
import { markedBody, piecesOf, seededNumbers } from './marked-bodies.ts';
import type { Plan } from './marked-servers.ts';

export type Behaviour = {
  /** Announces the length of what it sends. */
  readonly announces: boolean;
  /** Stops in the middle of what it sends and reads, for a moment each time. */
  readonly isSlow: boolean;
  /** Leaves after so many bytes of the answer, -1 before its end of the request; null: it does not. */
  readonly leavesAt: number | null;
};

export type Gotten = {
  status: number;
  /** `x-number` of the head. */
  number: string | undefined;
  chunks: Buffer[];
  /** `x-sum` of the trailers. */
  sum: string | undefined;
  isWhole: boolean;
};

export type MarkedClient = (plan: Plan, behaviour: Behaviour) => Promise<Gotten>;

type Fields = Readonly<Record<string, unknown>>;

/** One request under way, whichever protocol it speaks. */
type Sending = {
  readonly out: Writable;
  /** Settles once the head is here, or nothing will come. */
  readonly head: Promise<{ readonly status: number; readonly fields: Fields; readonly body: Readable } | null>;
  /** After the body has closed. */
  readonly ending: () => { readonly isWhole: boolean; readonly trailers: Fields };
};

const targetOf = (plan: Plan): string => `/?${encodeURIComponent(JSON.stringify(plan))}`;

const lengthOf = ({ sentByteCount }: Plan, { announces }: Behaviour): Record<string, string> =>
  announces && sentByteCount >= 0 ? { 'content-length': String(sentByteCount) } : {};

/** Over a few connections that are kept. */
export function http1Client(context: TestContext, port: number): MarkedClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 8, scheduling: 'lifo' });
  context.after(() => agent.destroy());
  return (plan, behaviour) => {
    const { method } = plan;
    const headers = { ...lengthOf(plan, behaviour), host: 'shop.test' };
    const chunked = !behaviour.announces && plan.sentByteCount >= 0 ? { 'transfer-encoding': 'chunked' } : {};
    const path = targetOf(plan);
    const out = requestHttp1({ port, host: '127.0.0.1', agent, method, path, headers: { ...headers, ...chunked } });
    let ending: ReturnType<Sending['ending']> = { isWhole: false, trailers: {} };
    const head = new Promise<Awaited<Sending['head']>>((resolve) => {
      out.on('response', (body) => {
        body.on('end', () => (ending = { isWhole: body.complete, trailers: body.trailers }));
        resolve({ status: body.statusCode!, fields: body.headers, body });
      });
      out.on('error', () => resolve(null)).on('close', () => resolve(null));
    });
    return carryOut(plan, behaviour, { out, head, ending: () => ending });
  };
}

/** Over one connection. */
export function http2Client(context: TestContext, port: number): MarkedClient {
  const session: ClientHttp2Session = connect(`https://127.0.0.1:${port}`, { ca: authority });
  session.on('error', () => undefined);
  context.after(() => session.destroy());
  return (plan, behaviour) => {
    const fields = { ':method': plan.method, ':path': targetOf(plan), ':authority': 'shop.test' };
    const out = session.request({ ...fields, ...lengthOf(plan, behaviour) }, { endStream: plan.sentByteCount < 0 });
    let trailers: Fields = {};
    let hasEnded = false;
    out.on('trailers', (came) => (trailers = came));
    out.on('end', () => (hasEnded = true));
    const head = new Promise<Awaited<Sending['head']>>((resolve) => {
      out.on('response', (came) => resolve({ status: Number(came[':status']), fields: came, body: out }));
      out.on('error', () => resolve(null)).on('close', () => resolve(null));
    });
    return carryOut(plan, behaviour, {
      out,
      head,
      ending: () => ({ isWhole: hasEnded && out.rstCode === 0, trailers }),
    });
  };
}

async function carryOut(plan: Plan, behaviour: Behaviour, { out, head, ending }: Sending): Promise<Gotten> {
  const next = seededNumbers(plan.number);
  const gotten: Gotten = { status: 0, number: undefined, chunks: [], sum: undefined, isWhole: false };
  void sendBody(out, plan, behaviour, next);
  const answer = await head;
  if (answer === null) return gotten;
  gotten.status = answer.status;
  gotten.number = answer.fields['x-number'] as string | undefined;
  let hasLeft = false;
  const leave = (): void => {
    hasLeft = true;
    out.destroy();
  };
  await readBody(answer.body, gotten, { ...behaviour, leave, next });
  const { isWhole, trailers } = ending();
  return Object.assign(gotten, { isWhole: isWhole && !hasLeft, sum: trailers['x-sum'] });
}

async function sendBody(out: Writable, plan: Plan, { isSlow, leavesAt }: Behaviour, next: () => number): Promise<void> {
  const pieces = piecesOf(markedBody(2 * plan.number, Math.max(0, plan.sentByteCount)), next);
  for (const [index, piece] of pieces.entries()) {
    if (out.destroyed || out.writableEnded) return;
    if (leavesAt === -1 && index === pieces.length >> 1) return void out.destroy();
    const isFull = !out.write(piece);
    if (isFull) await new Promise<void>((resolve) => void out.once('drain', resolve).once('close', resolve));
    else if (isSlow && next() < 0.1) await sleep(2);
  }
  if (plan.sentByteCount < 0 && leavesAt === -1) out.destroy();
  else if (!out.destroyed && !out.writableEnded) out.end();
}

type Reading = Behaviour & { readonly leave: () => void; readonly next: () => number };

async function readBody(body: Readable, gotten: Gotten, { isSlow, leavesAt, leave, next }: Reading): Promise<void> {
  let byteCount = 0;
  body.on('data', (chunk: Buffer) => {
    gotten.chunks.push(chunk);
    byteCount += chunk.length;
    if (leavesAt !== null && leavesAt >= 0 && byteCount >= leavesAt) leave();
    if (!isSlow || next() > 0.2) return;
    body.pause();
    setTimeout(() => body.resume(), next() * 20);
  });
  body.on('error', () => undefined);
  if (!body.destroyed) await new Promise<void>((resolve) => void body.once('close', resolve));
}
