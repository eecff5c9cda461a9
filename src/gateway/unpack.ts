// Undoes the Content-Encoding of a small body, on a thread of the platform's pool and within bounds: a body that is made to harm
// costs no more than another one.
import { promisify } from 'node:util';
import {
  brotliDecompress,
  constants,
  gunzip,
  inflate,
  inflateRaw,
  type ZlibOptions,
  zstdDecompress,
  type ZstdOptions,
} from 'node:zlib';

/** `broken`: the bytes are not what their coding says. `too-large`: they unpack to more than was asked for. */
export type Unpacked =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly reason: 'broken' | 'too-large' };

/** How a body is packed; `unpack` null: not at all. */
export type Coding = { readonly unpack: ((packed: Buffer, mostBytes: number) => Promise<Unpacked>) | null };

/** More is not allowed in HTTP (RFC 9659); without a bound 20 bytes may ask for 128 MiB. */
const largestZstdWindowLog = 23;

const gunzipLater = promisify<Buffer, ZlibOptions, Buffer>(gunzip);
const inflateLater = promisify<Buffer, ZlibOptions, Buffer>(inflate);
const inflateRawLater = promisify<Buffer, ZlibOptions, Buffer>(inflateRaw);
const zstdLater = promisify<Buffer, ZstdOptions, Buffer>(zstdDecompress);
const zstdParams = { [constants.ZSTD_d_windowLogMax]: largestZstdWindowLog };

const plain: Coding = { unpack: null };
const gzip = bounded(gunzipLater);
const codings: ReadonlyMap<string, Coding> = new Map([
  ['', plain],
  ['identity', plain],
  ['gzip', gzip],
  ['x-gzip', gzip],
  // Some servers leave out the wrapping that the standard asks for, and browsers take both.
  ['deflate', bounded((packed, options) => (isWrapped(packed) ? inflateLater : inflateRawLater)(packed, options))],
  ['br', bounded(promisify<Buffer, ZlibOptions, Buffer>(brotliDecompress))],
  ['zstd', bounded((packed, options) => zstdLater(packed, { ...options, params: zstdParams }))],
]);

/** By the value of `Content-Encoding`, empty where there is none; null: not understood, as are several codings. */
export function codingOf(contentEncoding: string): Coding | null {
  return codings.get(contentEncoding.trim().toLowerCase()) ?? null;
}

function bounded(work: (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>): Coding {
  return {
    async unpack(packed, mostBytes) {
      try {
        return { ok: true, bytes: await work(packed, { maxOutputLength: mostBytes }) };
      } catch (error) {
        const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
        return { ok: false, reason: isTooLarge ? 'too-large' : 'broken' };
      }
    },
  };
}

/** Whether it begins as zlib's format does (RFC 1950, 2.2). */
function isWrapped(packed: Buffer): boolean {
  return packed.length > 1 && (packed[0]! & 0x0f) === 8 && packed.readUInt16BE(0) % 31 === 0;
}
