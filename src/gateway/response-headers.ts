// What a response carries back to the client: the server's headers in order and number, less hop-by-hop ones.
import { dropNamed, isHopByHop } from './hop-by-hop.ts';

/** Lengths of the names that are not simply passed on; most headers are told apart by this alone. */
const lengthsToLookAt: ReadonlySet<number> = new Set(
  ['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade', 'proxy-authenticate']
    .concat('proxy-authorization', 'x-graygate-version')
    .map((name) => name.length),
);

/**
 * Raw response headers, names and values in turn, from a server's raw header fields. `x-graygate-version` is the
 * gateway's to say, so a server's own is dropped.
 */
export function returnedHeaders(rawHeaders: readonly Buffer[]): string[] {
  const headers: string[] = [];
  let connection = '';
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toString('latin1');
    if (lengthsToLookAt.has(name.length)) {
      const lower = name.toLowerCase();
      if (lower === 'connection') connection += `,${rawHeaders[i + 1]!.toString('latin1')}`;
      if (isHopByHop(lower) || lower === 'x-graygate-version') continue;
    }
    headers.push(name, rawHeaders[i + 1]!.toString('latin1'));
  }
  if (connection !== '') dropNamed(headers, connection);
  return headers;
}
