// Issues tokens as an identity provider does, serves its public keys, and can be told to rotate or to go away.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import type { TestContext } from './gateways.ts';

type KeyPair = {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
};

export class TokenIssuer {
  /** How often the keys were fetched. */
  fetchCount = 0;
  readonly #server: Server;
  #keys: KeyPair[] = [];
  #keyCount = 0;

  constructor() {
    this.#server = createServer((_request, response) => {
      this.fetchCount += 1;
      void this.#publicKeys().then((keys) => response.setHeader('Content-Type', 'application/json').end(keys));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/keys`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Makes a key pair the only one that is published and signed with. */
  async rotate(alg: 'RS256' | 'ES256'): Promise<void> {
    const pair = await generateKeyPair(alg, { extractable: true });
    this.#keys = [{ kid: `key-${(this.#keyCount += 1)}`, alg, ...pair }];
  }

  /** A token signed with the latest key. */
  async issue(claims: JWTPayload, header: Record<string, string> = {}): Promise<string> {
    const { kid, alg, privateKey } = this.#keys[0]!;
    return new SignJWT({ exp: Math.floor(Date.now() / 1_000) + 600, ...claims })
      .setProtectedHeader({ alg, kid, ...header })
      .sign(privateKey);
  }

  /** The latest public key as text, which an attacker knows as well, and its ID. */
  async publicKeyText(): Promise<{ kid: string; pem: string }> {
    const { kid, publicKey } = this.#keys[0]!;
    return { kid, pem: await exportSPKI(publicKey) };
  }

  async #publicKeys(): Promise<string> {
    const keys = this.#keys.map(async ({ kid, alg, publicKey }) => ({
      ...(await exportJWK(publicKey)),
      kid,
      alg,
      use: 'sig',
    }));
    return JSON.stringify({ keys: await Promise.all(keys) });
  }
}

/** Runs until the test ends, with one RS256 key. */
export async function startTokenIssuer(context: TestContext): Promise<TokenIssuer> {
  const issuer = new TokenIssuer();
  await issuer.rotate('RS256');
  await issuer.listen();
  context.after(() => issuer.close());
  return issuer;
}
