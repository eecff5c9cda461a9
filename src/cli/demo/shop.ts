// One bundled shop server: a stand-in for anyone's app, on plain node:http, so it knows nothing of graygate but its headers.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { goodBehaviour } from './behaviour.ts';
import type { Behaviour } from './behaviour.ts';
import { streamStock } from './shop-events.ts';
import { answerShopRequest, problem, steadyPaths } from './shop-routes.ts';
import type { ShopAnswer, ShopState } from './shop-routes.ts';
import { echoWebSocket } from './websocket-echo.ts';
import { drawWorkMs } from './work-time.ts';

/** `port` is taken when it is free, otherwise any free one; 0 is any. */
export type ShopOptions = Pick<ShopState, 'look' | 'release' | 'store'> & {
  readonly port: number;
  readonly behaviour?: Behaviour;
  /** Median of the time that an answer takes; 0 (or absent): none. */
  readonly workMs?: number;
};

type WorkingShop = ShopState & { readonly workMs: number };

export type Shop = { readonly url: string; readonly port: number; close(): Promise<void> };

const host = '127.0.0.1';
const maxBodyBytes = 16_384;

/** Starts a shop on loopback. `close` cuts whatever is still open. */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const { look, release, store, behaviour = goodBehaviour, workMs = 0 } = options;
  const shop: WorkingShop = { look, release, store, behaviour, workMs };
  const upgraded = new Set<Duplex>();
  const server = createServer((request, response) => void serve(shop, request, response));
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket.once('close', () => upgraded.delete(socket)));
    echoWebSocket(request, socket, head);
  });
  const port = await listen(server, options.port);
  return { url: `http://${host}:${port}`, port, close: () => closeAll(server, upgraded) };
}

/** Resolves with the port that was free. */
async function listen(server: Server, port: number): Promise<number> {
  const listening = once(server, 'listening');
  server.listen(port, host);
  try {
    await listening;
  } catch (error) {
    if (port === 0) throw error;
    return listen(server, 0);
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

async function closeAll(server: Server, upgraded: ReadonlySet<Duplex>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  for (const socket of upgraded) socket.destroy();
  await closed;
}

async function serve(shop: WorkingShop, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0]!;
  try {
    const body = await readBody(request);
    if (!steadyPaths.has(path)) {
      const { latencyMs, errorsPercent } = shop.behaviour;
      const takesMs = latencyMs + drawWorkMs(shop.workMs);
      if (takesMs > 0) await delay(takesMs);
      if (Math.random() * 100 < errorsPercent) return send(shop, response, problem(500, 'the shop is broken'));
    }
    if (body === null) return send(shop, response, problem(413, `expected at most ${maxBodyBytes} bytes`));
    if (path === '/api/stock') return streamStock(shop.look, response);
    const throughGateway = request.headers['x-graygate-rollout'] !== undefined;
    const contentType = (request.headers['content-type'] ?? '').split(';')[0]!.trim();
    const asked = {
      method: request.method ?? 'GET',
      path,
      contentType,
      customer: customerOf(request),
      throughGateway,
      body,
    };
    send(shop, response, answerShopRequest(shop, asked));
  } catch {
    response.destroy();
  }
}

/** Null when it is larger than the shop takes. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBodyBytes) chunks.push(chunk);
  }
  return bytes > maxBodyBytes ? null : Buffer.concat(chunks).toString('utf8');
}

/** The ID in header, cookie or gateway cookie; header values are UTF-8 bytes in Node's hands. */
function customerOf(request: IncomingMessage): string {
  const header = request.headers['x-user-id'];
  if (typeof header === 'string' && header !== '') return Buffer.from(header, 'latin1').toString('utf8');
  const cookies = new URLSearchParams((request.headers.cookie ?? '').replace(/;\s*/g, '&').replaceAll('+', '%2B'));
  return cookies.get('uid') || cookies.get('graygate_uid') || 'guest';
}

function send(shop: ShopState, response: ServerResponse, answer: ShopAnswer): void {
  const isPage = typeof answer.body === 'string';
  const text =
    typeof answer.body === 'string'
      ? answer.body
      : `${JSON.stringify(answer.body ?? null)}
`;
  response.writeHead(answer.status, {
    'content-type': isPage ? 'text/html; charset=utf-8' : 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-shop': shop.look,
    ...answer.headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
