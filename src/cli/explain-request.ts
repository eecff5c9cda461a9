// The request that `explain` asks about, made from its options as a client would have sent it: in bytes, with raw headers.
import { toByteString } from '../config/byte-string.ts';
import { GraygateError } from '../errors.ts';
import type { RequestLike } from '../gateway/raw-headers.ts';
import type { AskedSources, NamedValue } from '../rollout/asked-user.ts';
import type { ByteString } from '../rollout/policy.ts';

/** As typed, in Unicode. */
export type RequestOptions = AskedSources & {
  readonly method: string;
  /** Absent: what `header` says, else `localhost`. */
  readonly host?: string;
  /** With a query, if it has one. */
  readonly path: string;
};

/** `claims`: what the request's token is taken to have said; null where no claim was given. */
export type AskedRequest = { readonly request: RequestLike; readonly claims: Record<string, string> | null };

/** Builds the request. Throws `usage` for what no client could send. */
export function buildRequest(options: RequestOptions): AskedRequest {
  if (!options.path.startsWith('/')) {
    throw new GraygateError('usage', `expected --path to begin with /, got "${options.path}"`);
  }
  const headers = headersOf(options);
  for (const { name, value } of headers) refuseUnsendable(name, value);
  const request = {
    method: options.method,
    url: toByteString(withQuery(options.path, options.query)),
    rawHeaders: headers.flatMap(({ name, value }): ByteString[] => [name, toByteString(value)]),
    remoteAddress: options.ip,
    scheme: 'http' as const,
  };
  const claims = options.claim.map(({ name, value }) => [name, value] as const);
  return { request, claims: claims.length === 0 ? null : Object.fromEntries(claims) };
}

/** One `Host`, and one `Cookie` for all cookies, as browsers send them. */
function headersOf({ host, header, cookie }: RequestOptions): NamedValue[] {
  const asked = host ?? header.find((each) => isNamed(each, 'host'))?.value ?? 'localhost';
  const cookies = [
    ...cookie.map(encodePair),
    ...header.filter((each) => isNamed(each, 'cookie')).map(({ value }) => value),
  ];
  const others = header.filter((each) => !isNamed(each, 'host') && !isNamed(each, 'cookie'));
  return [
    { name: 'host', value: asked },
    ...others,
    ...(cookies.length === 0 ? [] : [{ name: 'cookie', value: cookies.join('; ') }]),
  ];
}

/** Names of headers are alike in any case; `wanted` is in lower case. */
export function isNamed({ name }: NamedValue, wanted: string): boolean {
  return name.toLowerCase() === wanted;
}

function encodePair({ name, value }: NamedValue): string {
  return `${name}=${encodeURIComponent(value.toWellFormed())}`;
}

/** First what was asked for by name, then what the path brought along. */
function withQuery(path: string, pairs: readonly NamedValue[]): string {
  if (pairs.length === 0) return path;
  const [bare = '', query] = path.split(/\?(.*)/s, 2);
  const asked = pairs.map(
    ({ name, value }) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`,
  );
  return `${bare}?${[...asked, ...(query === undefined ? [] : [query])].join('&')}`;
}

/** RFC 9110, 5: a name is a token; a value holds no line break and no NUL, and blanks around it are not part of it. */
function refuseUnsendable(name: string, value: string): void {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
    throw new GraygateError('usage', `expected the name of a header, got ${JSON.stringify(name)}`);
  }
  if (/[\r\n\0]/.test(value) || value.trim() !== value) {
    throw new GraygateError('usage', `a client cannot send ${JSON.stringify(value)} in the header ${name}`);
  }
}
