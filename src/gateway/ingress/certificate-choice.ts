// Which certificate a client is shown: by the host that it names at the beginning of the handshake (SNI, RFC 6066, 3).
import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Certificate, Tls } from '../../rollout/entrance.ts';

/** What all certificates of the port have in common. */
function optionsOf({ cert, key }: Certificate, clientCa: string | null): SecureContextOptions {
  return {
    cert,
    key,
    ...(clientCa === null ? {} : { ca: clientCa }),
    minVersion: 'TLSv1.2',
    honorCipherOrder: true,
    // A client could make the gateway do the costly part of a handshake again and again (CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

export class CertificateChoice {
  /** Of the first certificate, for the server itself. */
  readonly options: SecureContextOptions;
  readonly #default: SecureContext;
  readonly #exact = new Map<string, SecureContext>();
  /** By what follows the open label: `.example.com`. */
  readonly #wildcards = new Map<string, SecureContext>();

  constructor({ certificates, clientCa }: Tls) {
    this.options = optionsOf(certificates[0], clientCa);
    const contexts = certificates.map((certificate) => createSecureContext(optionsOf(certificate, clientCa)));
    this.#default = contexts[0]!;
    for (const [index, { names }] of certificates.entries()) {
      for (const name of names) {
        const [known, key] = name.startsWith('*.') ? [this.#wildcards, name.slice(1)] : [this.#exact, name];
        if (!known.has(key)) known.set(key, contexts[index]!);
      }
    }
  }

  /** The first listed that has the name itself, else the first with a wildcard for it, else the first of all. */
  contextFor(serverName: string): SecureContext {
    const name = serverName.toLowerCase().replace(/\.$/, '');
    const dot = name.indexOf('.');
    return this.#exact.get(name) ?? (dot > 0 ? this.#wildcards.get(name.slice(dot)) : undefined) ?? this.#default;
  }
}
