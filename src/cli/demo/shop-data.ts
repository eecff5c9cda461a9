// What both demo shops sell and remember. One store serves both, as one database serves two versions of a real shop,
// so a customer who moves from the old version to the new one keeps the cart. Bounded: it may run for days.

export type Product = {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  readonly priceCents: number;
  /** CSS colour of the tea in the cup. */
  readonly colour: string;
};

export type CartLine = { readonly product: string; readonly quantity: number };

export type Order = { readonly id: number; readonly lines: readonly CartLine[]; readonly amountCents: number };

export const products: readonly Product[] = [
  { id: 'longjing', name: 'Longjing 龙井', note: 'Green, pan-fired, chestnut', priceCents: 1850, colour: '#c9cf6a' },
  {
    id: 'tieguanyin',
    name: 'Tieguanyin 铁观音',
    note: 'Oolong, orchid and cream',
    priceCents: 2240,
    colour: '#d9b84a',
  },
  { id: 'jin-jun-mei', name: 'Jin Jun Mei 金骏眉', note: 'Black, malt and honey', priceCents: 3120, colour: '#b5502a' },
  { id: 'bai-mudan', name: 'Bai Mudan 白牡丹', note: 'White, hay and apricot', priceCents: 1490, colour: '#ead9a0' },
  { id: 'shou-puer', name: 'Shou Pu’er 熟普洱', note: 'Dark, earth and dates', priceCents: 2680, colour: '#5b2b1d' },
  {
    id: 'jasmine',
    name: 'Jasmine Pearls 茉莉',
    note: 'Green, scented seven times',
    priceCents: 1990,
    colour: '#dfe3a8',
  },
];

const productById = new Map(products.map((product) => [product.id, product]));
const maxCustomers = 10_000;
const maxLines = 20;
const maxQuantity = 99;
const maxOrdersKept = 20;

/** Carts and orders of every customer; of more than 10,000 customers the one seen first is forgotten. */
export class ShopStore {
  readonly #customers = new Map<string, { cart: Map<string, number>; orders: Order[] }>();
  #lastOrderId = 0;

  cart(customer: string): readonly CartLine[] {
    const cart = this.#customers.get(customer)?.cart ?? new Map<string, number>();
    return [...cart].map(([product, quantity]) => ({ product, quantity }));
  }

  /** Adds to the cart; a quantity never grows over 99. */
  add(customer: string, lines: readonly CartLine[]): void {
    const { cart } = this.#open(customer);
    for (const line of lines) {
      cart.set(line.product, Math.min(maxQuantity, (cart.get(line.product) ?? 0) + line.quantity));
    }
  }

  /** The last 20, newest first. */
  orders(customer: string): readonly Order[] {
    return this.#customers.get(customer)?.orders ?? [];
  }

  /** Orders `lines`, or what is in the cart and empties it; null when there is nothing to order. */
  order(customer: string, lines: readonly CartLine[] = []): Order | null {
    const record = this.#open(customer);
    const wanted = lines.length > 0 ? lines : this.cart(customer);
    if (wanted.length === 0) return null;
    if (lines.length === 0) record.cart.clear();
    const order = { id: (this.#lastOrderId += 1), lines: wanted, amountCents: amountCentsOf(wanted) };
    record.orders = [order, ...record.orders].slice(0, maxOrdersKept);
    return order;
  }

  #open(customer: string): { cart: Map<string, number>; orders: Order[] } {
    const known = this.#customers.get(customer);
    if (known) return known;
    if (this.#customers.size >= maxCustomers) this.#customers.delete(this.#customers.keys().next().value!);
    const fresh = { cart: new Map<string, number>(), orders: [] };
    this.#customers.set(customer, fresh);
    return fresh;
  }
}

export function findProduct(id: string): Product | undefined {
  return productById.get(id);
}

/** What a body asks for, `{ product, quantity? }` or a list of them; null when it is anything else. */
export function readCartLines(body: unknown): readonly CartLine[] | null {
  const list: unknown[] = Array.isArray(body) ? body : [body];
  const lines = list.slice(0, maxLines).map(readCartLine);
  return lines.every((line) => line !== null) ? lines : null;
}

/** `1850` as `18.50`. */
export function formatAmount(cents: number): string {
  return (cents / 100).toFixed(2);
}

function readCartLine(value: unknown): CartLine | null {
  if (typeof value !== 'object' || value === null || !('product' in value)) return null;
  const { product } = value;
  const quantity = 'quantity' in value ? value.quantity : 1;
  if (typeof product !== 'string' || !productById.has(product)) return null;
  if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 1 || quantity > maxQuantity)
    return null;
  return { product, quantity };
}

/** The price of all lines together. */
export function amountCentsOf(lines: readonly CartLine[]): number {
  return lines.reduce((sum, line) => sum + line.quantity * (productById.get(line.product)?.priceCents ?? 0), 0);
}
