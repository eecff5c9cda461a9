// The certificates in test/certificates, as files and as text.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate, Tls } from '../../src/rollout/entrance.ts';

const folder = join(import.meta.dirname, '../certificates');

/** Where a file of that folder is. */
export function certificateFile(name: string): string {
  return join(folder, name);
}

/** PEM text of a file of that folder: `shop.pem`. */
export function pemOf(name: string): string {
  return readFileSync(certificateFile(name), 'latin1');
}

/** Signed all server certificates of the folder. */
export const authority: string = pemOf('authority.pem');

const namesOf: Readonly<Record<string, readonly string[]>> = {
  shop: ['shop.test', '*.shop.test', 'localhost'],
  'shop-renewed': ['shop.test', '*.shop.test', 'localhost'],
  other: ['other.test', 'api.shop.test'],
  expired: ['shop.test'],
};

/** A certificate with its key as a policy holds it. */
export function certificateOf(name: string): Certificate {
  const names = namesOf[name] ?? [];
  return { names, cert: pemOf(`${name}.pem`), key: pemOf(`${name}.key`), fromMs: 0, untilMs: Infinity };
}

/** TLS with these certificates, by default the shop's. */
export function tlsOf(first = 'shop', ...others: string[]): Tls {
  return { certificates: [certificateOf(first), ...others.map(certificateOf)], clientCa: null };
}
