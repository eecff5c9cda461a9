// The keys that say how a version's servers are spoken to: HTTP/2, and TLS towards them. What the files hold is checked in
// server-tls-files.ts.
import type { z } from 'zod';
import type { ServerTls } from '../rollout/policy.ts';
import { isHostName } from './network-address.ts';
import { accepted, refused, type Reading } from './reading.ts';
import { mapping, toggle, written } from './schema-kit.ts';
import { pemFile } from './tls-schema.ts';

const serverTlsSchema = mapping(
  {
    ca: pemFile('the file of the authorities that vouch for the servers').optional(),
    cert: pemFile('the file of the certificate that the servers are shown').optional(),
    key: pemFile('the file of its private key').optional(),
    servername: written(readServerName, 'the name in the certificates of the servers').optional(),
    insecure: toggle().prefault(false),
  },
  'a mapping with ca, cert, key, servername or insecure',
);

/** Keys of a version. */
export const protocolKeys = { http2: toggle().prefault(false), tls: serverTlsSchema.optional() };

/** The text of each PEM file that versions name, by its name in the policy. */
export type PemTexts = Readonly<Record<string, string>>;

/** How to meet the servers; null where the document says nothing about it. */
export function buildServerTls(
  document: z.output<typeof serverTlsSchema> | undefined,
  texts: PemTexts,
): ServerTls | null {
  if (document === undefined) return null;
  const { ca, cert, key, servername = null, insecure } = document;
  const textOf = (name: string | undefined): string | null => (name === undefined ? null : texts[name]!);
  return { ca: textOf(ca), cert: textOf(cert), key: textOf(key), servername, insecure };
}

function readServerName(value: unknown): Reading<string> {
  const name = String(value).toLowerCase();
  return isHostName(name) ? accepted(name) : refused('is not a host name', 'write a name such as shop.internal');
}
