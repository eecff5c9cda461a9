// A real HTTP server that keeps every request it gets and answers as a test says.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';

export type Received = { readonly headers: IncomingHttpHeaders; readonly url: string; readonly body: string };

export type Receiver = {
  url: string;
  readonly received: Received[];
  /** How the next requests are answered. */
  answer: (response: ServerResponse, received: Received) => void;
  /** Whether connections are cut as soon as they come: dead, with a port that nobody else can take meanwhile. */
  isDead: boolean;
  close(): Promise<void>;
};

/** A receiver on a free port that says 200 until it is told otherwise. */
export async function openReceiver(): Promise<Receiver> {
  const server = createServer((request, response) => void take(request, response));
  const receiver: Receiver = {
    url: '',
    received: [],
    answer: (response) => response.end('ok'),
    isDead: false,
    async close() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const received = { headers: request.headers, url: request.url ?? '', body: Buffer.concat(chunks).toString('utf8') };
    receiver.received.push(received);
    receiver.answer(response, received);
  }
  server.on('connection', (socket) => {
    if (receiver.isDead) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address === 'object' && address !== null) receiver.url = `http://127.0.0.1:${address.port}/hook`;
  return receiver;
}

/** Answers with a status and nothing else. */
export function withStatus(status: number, headers: Record<string, string> = {}): Receiver['answer'] {
  return (response) => void response.writeHead(status, headers).end();
}
