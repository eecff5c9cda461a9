// The shop's stream of server-sent events, so that the tour can show one passing through the gateway unbuffered.
import type { ServerResponse } from 'node:http';
import { products } from './shop-data.ts';
import type { Look } from './shop-page.ts';

const intervalMs = 1_000;

/** Tells the stock of one product after another, at once and then each second, until the client leaves. */
export function streamStock(look: Look, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-shop': look });
  let turn = 0;
  const tell = () => {
    const product = products[turn % products.length]!;
    const left = 40 - ((turn * 7) % 30);
    turn += 1;
    response.write(`event: stock\ndata: ${JSON.stringify({ shop: look, product: product.id, left })}\n\n`);
  };
  const timer = setInterval(tell, intervalMs);
  response.on('close', () => clearInterval(timer));
  tell();
}
