// The two faces of the demo shop, so different that one look tells which version answered. One file each, no outside assets.
import { formatAmount, products } from './shop-data.ts';
import type { Product } from './shop-data.ts';

export type Look = 'old' | 'new';

/** What the page says of itself: `title` names the version in words, `customer` is shown and may be hostile text. */
export type PageView = { readonly look: Look; readonly release: string; readonly customer: string };

/** The whole page as HTML; every text that came from a request is escaped. */
export function renderShopPage(view: PageView): string {
  const isNew = view.look === 'new';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tea shop (${view.look} version)</title>
<link rel="icon" href="data:,">
<style>${sharedStyle}${isNew ? newStyle : oldStyle}</style>
</head>
<body>
<header>
  <p class="badge">${view.look} version · ${escapeHtml(view.release)}</p>
  <h1>${isNew ? 'Tea, freshly drawn' : 'The Tea Shop'}</h1>
  <p class="lead">${isNew ? 'Six leaves, one kettle. Ships today.' : 'Fine teas since 1987. Please choose from our list.'}</p>
</header>
<main>
${isNew ? renderCards() : renderTable()}
<p class="cart"><span id="cart" role="status">Your cart is empty.</span> <button id="order" type="button">Place the order</button></p>
<form method="post" action="/sign-in">
  <label>You are <input name="user" value="${escapeHtml(view.customer)}" maxlength="64" required></label>
  <button type="submit">Be this customer</button>
  <small>Each customer always gets the same version. Try others.</small>
</form>
</main>
<script>${script}</script>
</body>
</html>
`;
}

function renderTable(): string {
  const head = '<thead><tr><th>Tea</th><th>Description</th><th>Price</th><th></th></tr></thead>';
  return `<table>\n${head}\n<tbody>\n${products.map(renderRow).join('\n')}\n</tbody>\n</table>`;
}

function renderRow(product: Product): string {
  const price = `<td class="price">$${formatAmount(product.priceCents)}</td>`;
  return `<tr><td>${product.name}</td><td>${product.note}</td>${price}<td>${renderAdd(product)}</td></tr>`;
}

function renderCards(): string {
  return `<ul class="cards">\n${products.map(renderCard).join('\n')}\n</ul>`;
}

function renderCard(product: Product): string {
  const cup = `<span class="cup" style="--tea:${product.colour}"></span>`;
  const price = `<p class="price">$${formatAmount(product.priceCents)}</p>`;
  return `<li>${cup}<h2>${product.name}</h2><p>${product.note}</p>${price}${renderAdd(product)}</li>`;
}

function renderAdd(product: Product): string {
  return `<button type="button" data-add="${product.id}" aria-label="Add ${product.name} to the cart">Add</button>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const sharedStyle = `
*{box-sizing:border-box}body{margin:0;line-height:1.5}main,header{max-width:60rem;margin:0 auto;padding:1rem 1.5rem}
button{font:inherit;cursor:pointer;padding:.3rem .9rem}input{font:inherit;padding:.3rem .5rem;width:11rem}
form,.cart{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:1.2rem 0}.price{font-variant-numeric:tabular-nums}`;

const oldStyle = `
body{font-family:Georgia,"Times New Roman",serif;background:#f4f1ea;color:#2b2b2b}
header{border-bottom:3px double #8a8577}h1{font-size:2rem;margin:.2rem 0}.lead{font-style:italic;margin:.2rem 0}
.badge{float:right;margin:.6rem 0;font-size:.85rem;color:#fff;background:#5d6b7a;padding:.15rem .6rem}
table{width:100%;border-collapse:collapse;background:#fff}th,td{border:1px solid #bdb7a8;padding:.45rem .7rem;text-align:left}
th{background:#e4dfd2}td.price{text-align:right}button{border:1px solid #8a8577;background:#ece8de}`;

const newStyle = `
body{font-family:system-ui,-apple-system,"Segoe UI",sans-serif;color:#17301f;background:#f6faf4}
body::before{content:"";position:absolute;inset:0 0 auto;height:15rem;z-index:-1;background:linear-gradient(120deg,#14532d,#3f8f4f 70%,#9ac76a)}
header{color:#fff;padding-top:2rem;height:12.5rem}h1{font-size:clamp(1.8rem,7vw,2.6rem);line-height:1.2;letter-spacing:-.03em;margin:.5rem 0 .2rem}.lead{margin:.2rem 0;opacity:.9}
.badge{display:inline-block;margin:0;font-size:.85rem;font-weight:600;background:#ffe38a;color:#3d2f00;border-radius:99px;padding:.15rem .8rem}
.cards{list-style:none;margin:0;padding:0;display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr))}
.cards li{background:#fff;border-radius:1rem;padding:1.2rem;box-shadow:0 4px 18px #14532d1f}h2{font-size:1.1rem;margin:.6rem 0 0}.cards p{margin:.1rem 0;color:#4c6153}
.cards .price{font-weight:700;color:#17301f;margin:.4rem 0 .6rem}.cup{display:block;width:3rem;height:3rem;border-radius:50%;background:var(--tea);border:5px solid #eef4ea;box-shadow:0 0 0 1px #cfdccf}
button{border:0;border-radius:99px;background:#14532d;color:#fff}input{border:1px solid #a9bfae;border-radius:.5rem}`;

const script = `
const cart = document.getElementById('cart');
const send = (path, body) => fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
async function show(answer) {
  if (!answer.ok) { cart.textContent = 'The shop answered ' + answer.status + '.'; return; }
  const { lines, amount } = await answer.json();
  const count = lines.reduce((sum, line) => sum + line.quantity, 0);
  cart.textContent = count === 0 ? 'Your cart is empty.' : 'In your cart: ' + count + ', $' + amount + '.';
}
document.addEventListener('click', async (event) => {
  const product = event.target.dataset.add;
  if (product) await show(await send('/api/cart', { product }));
  if (event.target.id === 'order') {
    const answer = await send('/api/orders', []);
    cart.textContent = answer.ok ? 'Thank you. Your order comes to $' + answer.headers.get('x-order-amount') + '.' : answer.status === 409 ? 'Your cart is empty.' : 'The shop answered ' + answer.status + '.';
  }
});
fetch('/api/cart').then(show);
`;
