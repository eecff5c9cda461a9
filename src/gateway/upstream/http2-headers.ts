// Header lists between the form of HTTP/1.1, which the gateway uses inside, and that of HTTP/2 (RFC 9113, 8.3).
import { isHopByHop } from '../hop-by-hop.ts';
import type { UpstreamRequest } from './upstream-client.ts';

/** The raw header list of a request, pseudo-headers first; `Host` becomes `:authority`, names are lowered by the platform. */
export function requestFields(request: UpstreamRequest, scheme: 'http' | 'https'): string[] {
  const { headers } = request;
  const fields = [':method', request.method, ':scheme', scheme, ':authority', '', ':path', request.path];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (name.length === 4 && name.toLowerCase() === 'host') fields[5] = headers[i + 1]!;
    else fields.push(name, headers[i + 1]!);
  }
  return fields;
}

/** The fields of an answer without its pseudo-headers, which come first. */
export function answerFields(rawHeaders: readonly string[]): string[] {
  let first = 0;
  while (first < rawHeaders.length && rawHeaders[first]!.startsWith(':')) first += 2;
  return rawHeaders.slice(first);
}

/** Header lists larger than this are a protocol fault of the server; the platform says so to it, and takes them all the same. */
export const maxFieldsByteCount = 65_536;

/** Whether a list is larger than the server was told it may be (RFC 9113, 6.5.2: 32 bytes more a field). */
export function areTooLarge(rawHeaders: readonly string[]): boolean {
  let byteCount = rawHeaders.length * 16;
  for (const text of rawHeaders) byteCount += text.length;
  return byteCount > maxFieldsByteCount;
}

/** Trailers as the platform takes them: by name, in the order of their first value. */
export function trailerFields(rawTrailers: readonly string[] | null): Record<string, string[]> {
  const fields: Record<string, string[]> = Object.create(null);
  const raw = rawTrailers ?? [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    // Pseudo-headers cannot stand there, nor what belongs to one connection.
    if (name.startsWith(':') || isHopByHop(name)) continue;
    (fields[name] ??= []).push(raw[i + 1]!);
  }
  return fields;
}

/** Whether trailers may follow the body: what has a length was announced as whole. */
export function mayHaveTrailers({ headers, body }: UpstreamRequest): boolean {
  if (body === null) return false;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.length === 14 && headers[i]!.toLowerCase() === 'content-length') return false;
  }
  return true;
}
