// A well-behaved server that records each request as it came, and that a test can kill and start again on its port.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from './gateways.ts';

export type RecordedRequest = {
  readonly method: string;
  readonly url: string;
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
  /** One char a byte. */
  body: string;
  /** Its connection's number, from 0. */
  readonly connection: number;
  /** Became true when the gateway broke the request off. */
  aborted: boolean;
  header(name: string): string | undefined;
};

export type RecordingAnswer = (request: IncomingMessage, response: ServerResponse, recorded: RecordedRequest) => void;

/** Reads the whole body, then answers 200 with the server's name. */
export function answerWhole(name: string): RecordingAnswer {
  return (request, response) => request.on('end', () => response.end(name));
}

export class RecordingUpstream {
  readonly requests: RecordedRequest[] = [];
  connectionCount = 0;
  readonly #answer: RecordingAnswer;
  readonly #numbers = new WeakMap<Socket, number>();
  readonly #open = new WeakMap<Server, Set<Socket>>();
  #server: Server | null = null;
  #port = 0;

  constructor(answer: RecordingAnswer) {
    this.#answer = answer;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get openConnectionCount(): number {
    return this.#server === null ? 0 : this.#open.get(this.#server)!.size;
  }

  /** Listens on a free port, or on the one it had. */
  async start(): Promise<void> {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => this.#record(request, response));
    server.on('connection', (socket) => {
      this.#numbers.set(socket, this.connectionCount++);
      this.#open.get(server)!.add(socket);
      socket.on('close', () => this.#open.get(server)!.delete(socket));
    });
    this.#open.set(server, new Set());
    server.on('checkContinue', (request, response) => this.#record(request, response));
    const address = { port: this.#port, host: '127.0.0.1', reusePort: true };
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address, resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** As if the process died: nothing listens any more and every connection is cut. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server !== null) await this.#end(server);
  }

  /** As if another process took over: its port is never without a listener, but every connection is cut. */
  async restart(): Promise<void> {
    const server = this.#server!;
    await this.start();
    await this.#end(server);
  }

  async #end(server: Server): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#open.get(server)!) socket.destroy();
    await closed;
  }

  #record(request: IncomingMessage, response: ServerResponse): void {
    const recorded: RecordedRequest = {
      method: request.method!,
      url: request.url!,
      rawHeaders: request.rawHeaders,
      body: '',
      connection: this.#numbers.get(request.socket)!,
      aborted: false,
      header: (name) => {
        const at = request.rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name);
        return at === -1 ? undefined : request.rawHeaders[at + 1];
      },
    };
    this.requests.push(recorded);
    request.on('data', (chunk: Buffer) => (recorded.body += chunk.toString('latin1')));
    request.on('error', () => (recorded.aborted = true));
    response.on('close', () => (recorded.aborted ||= !response.writableFinished));
    this.#answer(request, response, recorded);
  }
}

/** Runs until the test ends; answers 200 with its name unless told otherwise. */
export async function startRecordingUpstream(
  context: TestContext,
  answer: RecordingAnswer | string = 'recorded',
): Promise<RecordingUpstream> {
  const upstream = new RecordingUpstream(typeof answer === 'string' ? answerWhole(answer) : answer);
  await upstream.start();
  context.after(() => upstream.kill());
  return upstream;
}
