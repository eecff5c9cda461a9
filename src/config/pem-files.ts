// Certificates, private keys and authorities in PEM files: read and understood, or what is wrong with them. A key is never shown.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { readFailure, readStable } from './stable-read.ts';

/** What is wrong with a file, to follow its quoted name, and what would be right. */
export type PemProblem = { readonly ok: false; readonly problem: string; readonly hint: string };

export type CertificateFile = {
  readonly ok: true;
  readonly text: string;
  /** The first is the one that the key belongs to, those after it its chain. */
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
};

export type KeyFile = { readonly ok: true; readonly text: string; readonly key: KeyObject };

/** Bytes of the largest bundle that is read; those of operating systems are a fourth of it. */
const maxPemBytes = 1_048_576;

const nameHint = 'name a PEM file, relative to the policy file';
const decryptHint = 'take the passphrase off: openssl pkey -in FILE -out NEW-FILE';

/** Where a file is that a policy in `folder` names. */
export function placeOfFile(name: string, folder: string): string {
  return isAbsolute(name) ? name : join(folder, name);
}

/** The content of a file as text. */
export async function readPem(path: string): Promise<{ readonly ok: true; readonly text: string } | PemProblem> {
  try {
    const text = await readStable(path, readLimited);
    return text === null ? { ok: false, problem: 'is larger than 1MiB', hint: nameHint } : { ok: true, text };
  } catch (error) {
    return { ok: false, problem: `cannot be read: ${readFailure(error)}`, hint: nameHint };
  }
}

/** The certificates in a text, in their order. */
export function certificatesIn(text: string): CertificateFile | PemProblem {
  const blocks = text.match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^]*?-----END [A-Z0-9 ]+-----/g) ?? [];
  try {
    const [first, ...others] = blocks.map((block) => new X509Certificate(block));
    if (first !== undefined) return { ok: true, text, certificates: [first, ...others] };
  } catch {
    return { ok: false, problem: 'holds a certificate that cannot be read', hint: 'write it again in PEM' };
  }
  return { ok: false, problem: 'holds no certificate', hint: 'put it there in PEM: -----BEGIN CERTIFICATE-----' };
}

/** The private key in a text. */
export function keyIn(text: string): KeyFile | PemProblem {
  if (/ENCRYPTED/.test(text)) return { ok: false, problem: 'is a key with a passphrase', hint: decryptHint };
  try {
    return { ok: true, text, key: createPrivateKey(text) };
  } catch {
    return { ok: false, problem: 'holds no private key', hint: 'put it there in PEM: -----BEGIN PRIVATE KEY-----' };
  }
}

/** Null for a file that is too large to be a bundle of certificates. */
async function readLimited(path: string): Promise<string | null> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(maxPemBytes + 1));
    return bytesRead > maxPemBytes ? null : buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}
