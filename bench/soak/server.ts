// One app server of the soak, in a process of its own so that it can be killed and stopped: small and large answers, bodies
// that come back counted, server-sent events and WebSockets.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';

const small = Buffer.alloc(1_024, 'a');
const large = Buffer.alloc(512_000, 'b');
const eventCount = 20;
const eventEveryMs = 100;

/** Bytes of the answer to each path that has a fixed one. */
export const answerBytes: Readonly<Record<string, number>> = { '/small': small.length, '/large': large.length };

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url!.split('?', 1)[0]!;
  if (path === '/events') return sendEvents(response);
  if (request.method === 'POST') return countBody(request, response);
  const body = path === '/large' ? large : small;
  response.writeHead(path === '/health' ? 204 : 200, { 'content-length': path === '/health' ? 0 : body.length });
  response.end(path === '/health' ? undefined : body);
}

function countBody(request: IncomingMessage, response: ServerResponse): void {
  let byteCount = 0;
  request.on('data', (chunk: Buffer) => (byteCount += chunk.length));
  request.on('end', () => response.end(String(byteCount)));
}

function sendEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(`data: ${sent}\n\n`);
    sent += 1;
    if (sent < eventCount) return;
    clearInterval(timer);
    response.end();
  }, eventEveryMs);
  response.on('close', () => clearInterval(timer));
}

if (import.meta.main) {
  const server = createServer({ keepAliveTimeout: 5_000 }, answer);
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (message) => socket.send(message));
  });
  server.listen(Number(process.argv[2]), '127.0.0.1');
}
