// The clients of a soak: what each kind of request does, over HTTP/1.1 and HTTP/2, and what it says when something is wrong.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:http2';
import { Agent, request as ask } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { RequestKind, RequestRecord } from './record.ts';
import { answerBytes } from './server.ts';

/** How many clients of each kind there are, and how long each rests between two requests. */
export const crowd: readonly { readonly kind: RequestKind; readonly clients: number; readonly restMs: number }[] = [
  { kind: 'get', clients: 20, restMs: 100 },
  { kind: 'download', clients: 2, restMs: 300 },
  { kind: 'post', clients: 6, restMs: 200 },
  { kind: 'events', clients: 4, restMs: 500 },
  { kind: 'websocket', clients: 4, restMs: 500 },
  { kind: 'leave', clients: 2, restMs: 500 },
];

const giveUpAfterMs = 20_000;
const postBytes = 20_000;
const userCount = 2_000;

type Answer = { readonly status: number; readonly body: Buffer };
type Asked = { readonly path: string; readonly body?: Buffer; readonly onHead?: () => void };

/** Clients of one gateway with TLS; `stop` ends their connections. */
export class Clients {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64, rejectUnauthorized: false });
  #session: ClientHttp2Session | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  /** Does one request of a kind; never throws. */
  async make(kind: RequestKind): Promise<RequestRecord> {
    const beganMs = Date.now();
    let status: number | null = null;
    let failure: string | null = null;
    try {
      status = await this.#do(kind, (answered) => (status = answered));
      failure = status === 101 || (status >= 200 && status < 300) ? null : String(status);
    } catch (error) {
      failure = (error as Error).message;
    }
    return { kind, beganMs, endedMs: Date.now(), status, failure };
  }

  stop(): void {
    this.#agent.destroy();
    this.#session?.destroy();
  }

  async #do(kind: RequestKind, onStatus: (status: number) => void): Promise<number> {
    switch (kind) {
      case 'get':
        return this.#fixed(randomInt(2) === 0 ? 'one' : 'two', '/small', onStatus);
      case 'download':
        return this.#fixed('one', '/large', onStatus);
      case 'post':
        return this.#post(onStatus);
      case 'events':
        return this.#events(onStatus);
      case 'websocket':
        return this.#webSocket();
      default:
        return this.#leave();
    }
  }

  async #fixed(protocol: 'one' | 'two', path: string, onStatus: (status: number) => void): Promise<number> {
    const { status, body } = await (protocol === 'one' ? this.#ask({ path }, onStatus) : this.#askTwo(path));
    if (status === 200 && body.length !== answerBytes[path]) throw new Error('the answer is not whole');
    return status;
  }

  async #post(onStatus: (status: number) => void): Promise<number> {
    const { status, body } = await this.#ask({ path: '/count', body: Buffer.alloc(postBytes, 'p') }, onStatus);
    if (status === 200 && body.toString() !== String(postBytes)) throw new Error('the server counted another body');
    return status;
  }

  async #events(onStatus: (status: number) => void): Promise<number> {
    const { status, body } = await this.#ask({ path: '/events' }, onStatus);
    if (status === 200 && !body.toString().endsWith('data: 19\n\n')) throw new Error('events are missing');
    return status;
  }

  #ask({ path, body }: Asked, onStatus: (status: number) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const method = body === undefined ? 'GET' : 'POST';
      const options = { host: '127.0.0.1', port: this.#port, path, method, agent: this.#agent, headers: randomUser() };
      const request = ask(options, (response) => {
        onStatus(response.statusCode!);
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode!, body: Buffer.concat(pieces) }));
      });
      request.setTimeout(giveUpAfterMs, () => request.destroy(new Error('no answer in time')));
      request.on('error', reject);
      request.end(body);
    });
  }

  #askTwo(path: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const stream = this.#sessionNow().request({ ':path': path, ...randomUser() });
      let status = 0;
      const pieces: Buffer[] = [];
      stream.setTimeout(giveUpAfterMs, () => stream.destroy(new Error('no answer in time')));
      stream.on('response', (headers) => (status = headers[':status']!));
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('error', reject);
      stream.on('end', () => resolve({ status, body: Buffer.concat(pieces) }));
      stream.on('close', () => reject(new Error('the stream was closed')));
    });
  }

  /** A session that is going away is replaced; its streams end by themselves. */
  #sessionNow(): ClientHttp2Session {
    const known = this.#session;
    if (known !== null && !known.closed && !known.destroyed) return known;
    const session = connect(`https://127.0.0.1:${this.#port}`, { rejectUnauthorized: false });
    session.on('error', () => session.destroy());
    session.on('goaway', () => session.close());
    this.#session = session;
    return session;
  }

  async #webSocket(): Promise<number> {
    const socket = new WebSocket(`wss://127.0.0.1:${this.#port}/socket`, {
      rejectUnauthorized: false,
      headers: randomUser(),
      handshakeTimeout: giveUpAfterMs,
    });
    const gone = new AbortController();
    socket.on('close', () => gone.abort());
    const nextEvent = async (name: string): Promise<unknown> => (await once(socket, name, { signal: gone.signal }))[0];
    try {
      await nextEvent('open');
      for (let i = 0; i < 10; i += 1) {
        socket.send(`message ${i}`);
        const echo = String(await nextEvent('message'));
        if (echo !== `message ${i}`) throw new Error('another message came back');
        await sleep(100);
      }
      return 101;
    } finally {
      socket.on('error', () => undefined);
      socket.terminate();
    }
  }

  /** A client that goes away in the middle of the answer. */
  #leave(): Promise<number> {
    return new Promise((resolve) => {
      const options = { host: '127.0.0.1', port: this.#port, path: '/large', agent: false, rejectUnauthorized: false };
      const request = ask({ ...options, headers: randomUser() }, (response) => {
        response.once('data', () => {
          request.destroy();
          resolve(200);
        });
        response.on('error', () => resolve(200));
      });
      request.on('error', () => resolve(200));
      request.setTimeout(giveUpAfterMs, () => request.destroy());
      request.end();
    });
  }
}

function randomUser(): Record<string, string> {
  return { 'x-user-id': `user-${randomInt(userCount)}` };
}
