// Requests that a client could send by mistake or in malice, as bytes: put together from parts that have fooled proxies, then
// mutated. Made by fast-check, so that a seed gives the same ones again.
import { type Arbitrary, array, constant, constantFrom, integer, oneof, record, tuple, uint8Array } from 'fast-check';

/** The bytes of one connection, in the pieces in which they are written. */
export type FuzzedRequest = readonly Buffer[];

const end = '\r\n';
const smuggled = `GET /smuggled HTTP/1.1${end}Host: shop.test${end}${end}`;
const bytes = (maxLength: number): Arbitrary<string> =>
  uint8Array({ maxLength }).map((raw) => Buffer.from(raw).toString('latin1'));

const method = oneof(
  { weight: 8, arbitrary: constantFrom('GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH') },
  { weight: 1, arbitrary: constantFrom('CONNECT', 'TRACE', 'get', 'PRI', 'PROPFIND', 'M-SEARCH', 'FOO', '') },
  { weight: 1, arbitrary: bytes(4) },
);
const target = oneof(
  { weight: 6, arbitrary: constantFrom('/', '/item', '/item?a=b', '//a', '/a/../b', '/%2e%2e/x', '/a%zz', '/;/..;/a') },
  { weight: 2, arbitrary: constantFrom('*', 'http://shop.test/a', 'http://evil.test:80', 'shop.test:443', '/a b', '') },
  { weight: 1, arbitrary: bytes(20).map((text) => `/${text}`) },
);
const version = oneof(
  { weight: 10, arbitrary: constant('HTTP/1.1') },
  { weight: 2, arbitrary: constant('HTTP/1.0') },
  { weight: 1, arbitrary: constantFrom('HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.1 ', 'HTTP/11', '') },
);
const length = constantFrom('0', '5', '10', '46', ' 5', '5 ', '+5', '-1', '5, 5', '5,6', '0x5', '5;', '1e1', '');
const coding = constantFrom(
  'chunked',
  'Chunked',
  ' chunked',
  'chunked ',
  'chunked, chunked',
  'gzip, chunked',
  'chunked, identity',
  'identity',
  'xchunked',
  'chunked;a=b',
  '\x0bchunked',
  'chunked\x00',
);
const field = oneof(
  { weight: 3, arbitrary: length.map((value) => ['Content-Length', value] as const) },
  { weight: 3, arbitrary: coding.map((value) => ['Transfer-Encoding', value] as const) },
  { weight: 1, arbitrary: length.map((value) => ['Content_Length', value] as const) },
  {
    weight: 4,
    arbitrary: constantFrom(
      ['Connection', 'close'] as const,
      ['Connection', 'keep-alive, X-Graygate-Rollout, Content-Length, Host'] as const,
      ['Host', 'evil.test'] as const,
      ['Host', ''] as const,
      ['Expect', '100-continue'] as const,
      ['Expect', '200-ok'] as const,
      ['Upgrade', 'h2c'] as const,
      ['Upgrade', 'websocket'] as const,
      ['HTTP2-Settings', 'AAMAAABkAAQAoAAAAAIAAAAA'] as const,
      ['TE', 'trailers'] as const,
      ['Trailer', 'Content-Length'] as const,
      ['X-Graygate-Rollout', 'other'] as const,
      ['X-Graygate-Version', 'canary'] as const,
      ['X_Graygate_Version', 'canary'] as const,
      ['Cookie', 'graygate_uid=zzzz; graygate_uid=0123456789abcdef0123456789abcdef'] as const,
      ['X-User-Id', 'a\x00b'] as const,
      ['X-Forwarded-For', '10.0.0.1, evil'] as const,
      ['Content-Length ', '5'] as const,
      [' Content-Length', '5'] as const,
      ['Content-Length\x00', '5'] as const,
    ),
  },
  { weight: 1, arbitrary: tuple(bytes(8), bytes(30)) },
  { weight: 1, arbitrary: integer({ min: 1, max: 20_000 }).map((size) => ['X-Long', 'a'.repeat(size)] as const) },
);
const separator = oneof(
  { weight: 20, arbitrary: constant(': ') },
  { weight: 1, arbitrary: constantFrom(':', ' : ', ':\t', '') },
);
const lineEnd = oneof(
  { weight: 30, arbitrary: constant(end) },
  { weight: 1, arbitrary: constantFrom('\n', '\r', '\r\r\n', `${end} `) },
);
const body = oneof(
  { weight: 3, arbitrary: constant('') },
  { weight: 2, arbitrary: constant('hello') },
  { weight: 2, arbitrary: constant(smuggled) },
  { weight: 2, arbitrary: constant(`5${end}hello${end}0${end}${end}`) },
  { weight: 1, arbitrary: constant(`0${end}${end}${smuggled}`) },
  {
    weight: 2,
    arbitrary: constantFrom(
      `5;a="${end}hello${end}0${end}${end}`,
      `5\nhello\n0\n\n`,
      `5 ${end}hello${end}0${end}${end}`,
      `0x5${end}hello${end}0${end}${end}`,
      `FFFFFFFFFFFFFFFFF${end}hello`,
      `-1${end}hello`,
      `5${end}helloX${end}0${end}${end}`,
      `0${end}Content-Length: 5${end}Host: evil.test${end}${end}`,
      `5${end}hel`,
    ),
  },
  { weight: 1, arbitrary: bytes(60) },
);

const whole = record({
  method,
  target,
  version,
  fields: array(tuple(field, separator, lineEnd), { maxLength: 6 }),
  hasHost: oneof({ weight: 9, arbitrary: constant(true) }, { weight: 1, arbitrary: constant(false) }),
  firstEnd: lineEnd,
  body,
}).map((parts) => {
  const lines = parts.fields.map(([[name, value], colon, ending]) => `${name}${colon}${value}${ending}`).join('');
  const host = parts.hasHost ? `Host: shop.test${end}` : '';
  return `${parts.method} ${parts.target} ${parts.version}${parts.firstEnd}${host}${lines}${end}${parts.body}`;
});

const mutation = record({
  kind: constantFrom('flip', 'insert', 'delete', 'repeat'),
  at: integer({ min: 0, max: 400 }),
  count: integer({ min: 1, max: 12 }),
  byte: oneof(constantFrom(0, 9, 10, 11, 13, 32, 58, 0x7f, 0x80, 0xff), integer({ min: 0, max: 255 })),
});

/** A request with up to three mutations, now and then two of them on one connection, in up to three pieces. */
export const fuzzedRequest: Arbitrary<FuzzedRequest> = record({
  requests: oneof({ weight: 4, arbitrary: whole.map((text) => [text]) }, { weight: 1, arbitrary: tuple(whole, whole) }),
  mutations: oneof({ weight: 1, arbitrary: constant([]) }, { weight: 1, arbitrary: array(mutation, { maxLength: 3 }) }),
  cuts: array(integer({ min: 1, max: 300 }), { maxLength: 2 }),
}).map(({ requests, mutations, cuts }) => {
  let text: string = requests.join('');
  for (const each of mutations) text = mutate(text, each);
  return pieces(Buffer.from(text, 'latin1'), cuts);
});

type Mutation = { kind: string; at: number; count: number; byte: number };

function mutate(text: string, { kind, at, count, byte }: Mutation): string {
  const [head, tail] = [text.slice(0, at), text.slice(at)];
  const char = String.fromCharCode(byte);
  if (kind === 'flip') return head + char + tail.slice(1);
  if (kind === 'insert') return head + char.repeat(count) + tail;
  return kind === 'delete' ? head + tail.slice(count) : head + tail.slice(0, count) + tail;
}

function pieces(all: Buffer, cuts: readonly number[]): Buffer[] {
  const borders = [0, ...cuts.toSorted((a, b) => a - b), all.length];
  return borders
    .slice(1)
    .map((to, i) => all.subarray(borders[i], to))
    .filter(({ length: size }) => size > 0);
}
