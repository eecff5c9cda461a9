// What a demo shop answers to each path. Plain functions from what was asked to an answer; shop.ts does the sockets.
import { readBehaviour } from './behaviour.ts';
import type { Behaviour } from './behaviour.ts';
import { amountCentsOf, findProduct, formatAmount, products, readCartLines } from './shop-data.ts';
import type { Order, Product, ShopStore } from './shop-data.ts';
import { renderShopPage } from './shop-page.ts';
import type { Look } from './shop-page.ts';

/** The running shop as its answers see it; `behaviour` is what the control path changes. */
export type ShopState = {
  readonly look: Look;
  readonly release: string;
  readonly store: ShopStore;
  behaviour: Behaviour;
};

/** `body` is text, still unparsed. `customer` is who the request says it is from, decoded; `guest` for nobody. */
export type ShopRequest = {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly customer: string;
  readonly throughGateway: boolean;
  readonly body: string;
};

export type ShopAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as HTML, anything else as JSON. */
  readonly body?: unknown;
};

/** Paths that always behave, so that a bad shop can still be watched and mended. */
export const steadyPaths: ReadonlySet<string> = new Set(['/healthz', '/demo/behaviour']);

/** Answers a request for a shop that behaves well. */
export function answerShopRequest(shop: ShopState, request: ShopRequest): ShopAnswer {
  const productId = /^\/api\/products\/([\w-]+)$/.exec(request.path)?.[1];
  const path = productId === undefined ? request.path : '/api/products/:id';
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  switch (`${method} ${path}`) {
    case 'GET /':
      return { status: 200, body: renderShopPage({ ...shop, customer: request.customer }) };
    case 'GET /healthz':
      return { status: 200, body: { status: 'ok' } };
    case 'GET /api/products':
      return { status: 200, body: { shop: shop.look, products: products.map(describeProduct) } };
    case 'GET /api/products/:id':
      return answerProduct(shop, productId ?? '');
    case 'GET /api/cart':
      return { status: 200, body: describeCart(shop, request.customer) };
    case 'POST /api/cart':
      return addToCart(shop, request);
    case 'GET /api/orders':
      return { status: 200, body: { shop: shop.look, orders: shop.store.orders(request.customer).map(describeOrder) } };
    case 'POST /api/orders':
      return placeOrder(shop, request);
    case 'POST /sign-in':
      return signIn(request);
    case 'GET /demo/behaviour':
    case 'POST /demo/behaviour':
      return controlBehaviour(shop, request);
    default:
      return problem(404, `there is no ${request.method} ${request.path} in this shop`);
  }
}

/** A problem document as the shop sends it. */
export function problem(status: number, detail: string): ShopAnswer {
  return { status, headers: { 'content-type': 'application/problem+json' }, body: { status, detail } };
}

function answerProduct(shop: ShopState, id: string): ShopAnswer {
  const product = findProduct(id);
  if (!product) return problem(404, `there is no product "${id}"`);
  return { status: 200, body: { shop: shop.look, ...describeProduct(product) } };
}

function addToCart(shop: ShopState, request: ShopRequest): ShopAnswer {
  const lines = readCartLines(parseJson(request.body));
  if (!lines) return problem(400, 'expected {"product": "longjing", "quantity": 1}');
  shop.store.add(request.customer, lines);
  return { status: 200, body: describeCart(shop, request.customer) };
}

function placeOrder(shop: ShopState, request: ShopRequest): ShopAnswer {
  const lines = readCartLines(request.body === '' ? [] : parseJson(request.body));
  if (!lines) return problem(400, 'expected nothing (the cart is ordered) or [{"product": "longjing", "quantity": 1}]');
  const order = shop.store.order(request.customer, lines);
  if (!order) return problem(409, 'the cart is empty');
  const described = describeOrder(order);
  return { status: 201, headers: { 'x-order-amount': described.amount }, body: { shop: shop.look, ...described } };
}

/** A cookie the gateway finds the user ID in; percent-encoded, since a name may be Chinese. */
function signIn(request: ShopRequest): ShopAnswer {
  const user = new URLSearchParams(request.body).get('user')?.trim().slice(0, 64) ?? '';
  if (user === '') return problem(400, 'expected a form with user=ID');
  const cookie = `uid=${encodeURIComponent(user.toWellFormed())}; Path=/; HttpOnly; SameSite=Lax`;
  return { status: 303, headers: { location: '/', 'set-cookie': cookie } };
}

/** JSON only: a page from elsewhere cannot send that without asking first. Not for those who come through the gateway. */
function controlBehaviour(shop: ShopState, request: ShopRequest): ShopAnswer {
  if (request.throughGateway)
    return problem(403, 'the behaviour is changed at the shop’s own port, not through the gateway');
  if (request.method === 'POST') {
    if (request.contentType !== 'application/json') return problem(415, 'expected content-type: application/json');
    const behaviour = readBehaviour(parseJson(request.body));
    if (typeof behaviour === 'string') return problem(400, behaviour);
    shop.behaviour = behaviour;
  }
  return { status: 200, body: { errors: shop.behaviour.errorsPercent, latency: shop.behaviour.latencyMs } };
}

function describeProduct(product: Product): object {
  return { id: product.id, name: product.name, note: product.note, price: formatAmount(product.priceCents) };
}

function describeCart(shop: ShopState, customer: string): object {
  const lines = shop.store.cart(customer);
  return { shop: shop.look, customer, lines, amount: formatAmount(amountCentsOf(lines)) };
}

function describeOrder(order: Order): { id: number; lines: Order['lines']; amount: string } {
  return { id: order.id, lines: order.lines, amount: formatAmount(order.amountCents) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
