// Every way in which a server can fail, each as a server that does it to every request.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { FaultKind } from '../../src/rollout/outcome.ts';
import type { VersionTimeouts } from '../../src/rollout/policy.ts';
import type { TestContext } from './gateways.ts';
import { type RawAnswer, startRawUpstream } from './raw-upstream.ts';

/** So long that only a server that fails otherwise is noticed, however busy the machine is. */
const patience: VersionTimeouts = { connectMs: 30_000, responseMs: 30_000, idleMs: 30_000 };
const short = 300;

export type Faulty = {
  readonly kind: FaultKind;
  /** Patient but for the time that this fault exceeds. */
  readonly timeouts: VersionTimeouts;
  /** Starts such a server and hands back its origin. */
  start(context: TestContext): Promise<string>;
};

const doing =
  (answer: RawAnswer) =>
  async (context: TestContext): Promise<string> =>
    (await startRawUpstream(context, answer)).origin;

const sending = (
  bytes: string,
  then: (socket: Socket) => void = () => undefined,
): ((context: TestContext) => Promise<string>) =>
  doing(({ socket }) => socket.write(Buffer.from(bytes, 'latin1'), () => then(socket)));

const reset = (socket: Socket): void => void setImmediate(() => socket.resetAndDestroy());
const end = (socket: Socket): void => void socket.end();

/** Faults before the head of a response is whole. */
export const faultsBeforeHead: Readonly<Record<string, Faulty>> = {
  'refuses the connection': { kind: 'connect', timeouts: patience, start: startRefusing },
  'never accepts the connection': { kind: 'timeout', timeouts: { ...patience, connectMs: short }, start: startDeaf },
  'resets the connection': {
    kind: 'reset',
    timeouts: patience,
    start: doing(({ socket }) => void socket.resetAndDestroy()),
  },
  'closes the connection': { kind: 'reset', timeouts: patience, start: doing(({ socket }) => void socket.end()) },
  'resets within the head': { kind: 'reset', timeouts: patience, start: sending('HTTP/1.1 200 OK\r\nX: ', reset) },
  'never answers': { kind: 'timeout', timeouts: { ...patience, responseMs: short }, start: doing(() => undefined) },
  'stops within the head': {
    kind: 'timeout',
    timeouts: { ...patience, responseMs: short },
    start: sending('HTTP/1.1 200 OK\r\nX: '),
  },
  'sends garbage': { kind: 'protocol', timeouts: patience, start: sending('SSH-2.0-OpenSSH_9.9\r\n') },
  'sends a status of four digits': { kind: 'protocol', timeouts: patience, start: sending('HTTP/1.1 2000 OK\r\n\r\n') },
  'sends a status below 100': {
    kind: 'protocol',
    timeouts: patience,
    start: sending('HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n'),
  },
  'sends a header without a name': {
    kind: 'protocol',
    timeouts: patience,
    start: sending('HTTP/1.1 200 OK\r\n: x\r\n\r\n'),
  },
  'sends a NUL in a header': {
    kind: 'protocol',
    timeouts: patience,
    start: sending('HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n'),
  },
  'sends a control character in a header': {
    kind: 'protocol',
    timeouts: patience,
    start: sending('HTTP/1.1 200 OK\r\nX: \x01\r\nContent-Length: 0\r\n\r\n'),
  },
  'sends headers that are too large': {
    kind: 'protocol',
    timeouts: patience,
    start: sending(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`),
  },
  'sends two lengths': {
    kind: 'protocol',
    timeouts: patience,
    start: sending('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'),
  },
  'sends a length and chunks': {
    kind: 'protocol',
    timeouts: patience,
    start: sending('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  },
  'switches protocols unasked': {
    kind: 'protocol',
    timeouts: patience,
    start: sending('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
  },
};

const head = (framing: string): string => `HTTP/1.1 200 OK\r\n${framing}\r\n`;

/** Faults when a part of the body has been passed on. */
export const faultsWithinBody: Readonly<Record<string, Faulty>> = {
  'resets within a body of known length': {
    kind: 'reset',
    timeouts: patience,
    start: sending(`${head('Content-Length: 9\r\n')}half`, reset),
  },
  'closes within a body of known length': {
    kind: 'reset',
    timeouts: patience,
    start: sending(`${head('Content-Length: 9\r\n')}half`, end),
  },
  'resets within a chunked body': {
    kind: 'reset',
    timeouts: patience,
    start: sending(`${head('Transfer-Encoding: chunked\r\n')}4\r\nhalf\r\n`, reset),
  },
  'closes within a chunked body': {
    kind: 'reset',
    timeouts: patience,
    start: sending(`${head('Transfer-Encoding: chunked\r\n')}4\r\nhalf\r\n`, end),
  },
  'closes within a chunk': {
    kind: 'reset',
    timeouts: patience,
    start: sending(`${head('Transfer-Encoding: chunked\r\n')}9\r\nhalf`, end),
  },
  'resets within a body that ends with the connection': {
    kind: 'reset',
    timeouts: patience,
    start: sending(`${head('')}half`, reset),
  },
  'sends a chunk size that is none': {
    kind: 'protocol',
    timeouts: patience,
    start: sending(`${head('Transfer-Encoding: chunked\r\n')}4\r\nhalf\r\nx\r\n`),
  },
  'stops within a body of known length': {
    kind: 'timeout',
    timeouts: { ...patience, idleMs: short },
    start: sending(`${head('Content-Length: 9\r\n')}half`),
  },
  'stops within a chunked body': {
    kind: 'timeout',
    timeouts: { ...patience, idleMs: short },
    start: sending(`${head('Transfer-Encoding: chunked\r\n')}4\r\nhalf\r\n`),
  },
};

/** An origin where nothing listens: a port that was free a moment ago another test may have by now, a reserved one nobody has. */
async function startRefusing(): Promise<string> {
  return 'http://127.0.0.1:1';
}

const deafProgram = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.send(server.address().port));
`;

/** A process that listens, is stopped, and whose queue of connections is full: a connection is neither made nor refused. */
async function startDeaf(context: TestContext): Promise<string> {
  const child = spawn(process.execPath, ['-e', deafProgram], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  context.after(() => void child.kill('SIGKILL'));
  const [port] = (await once(child, 'message')) as [number];
  child.kill('SIGSTOP');
  const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  context.after(() => fillers.forEach((filler) => filler.destroy()));
  await Promise.all(fillers.slice(0, 2).map(async (filler) => once(filler, 'connect')));
  return `http://127.0.0.1:${port}`;
}
