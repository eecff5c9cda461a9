// The tokens that open the admin API. Only their hashes are kept here, and every one is compared, so that the time it takes
// says nothing of any of them.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AdminToken } from '../rollout/entrance.ts';

export type TokenHolder = Pick<AdminToken, 'name' | 'role'>;

type Entry = TokenHolder & { readonly digest: Buffer };

export class TokenBook {
  readonly #tokens: () => readonly AdminToken[];
  #of: readonly AdminToken[] | null = null;
  #entries: readonly Entry[] = [];

  /** `tokens` is asked at every use; another list than before counts at once. */
  constructor(tokens: () => readonly AdminToken[]) {
    this.#tokens = tokens;
  }

  get isEmpty(): boolean {
    return this.#current().length === 0;
  }

  /** Whose token has this digest; null: nobody's. Cost: linear in the number of tokens. */
  holderOf(digest: Buffer): TokenHolder | null {
    let holder: TokenHolder | null = null;
    for (const entry of this.#current()) {
      const isSame = timingSafeEqual(entry.digest, digest);
      if (isSame && holder === null) holder = entry;
    }
    return holder;
  }

  #current(): readonly Entry[] {
    const tokens = this.#tokens();
    if (tokens === this.#of) return this.#entries;
    this.#of = tokens;
    this.#entries = tokens.map(({ name, role, token }) => ({
      name,
      role,
      digest: digestOf(Buffer.from(token, 'utf8')),
    }));
    return this.#entries;
  }
}

/** The token of an `Authorization: Bearer` header as a digest; null where there is none. Header values are bytes. */
export function bearerDigest(authorization: string | undefined): Buffer | null {
  const token = /^bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
  return token === undefined ? null : digestOf(Buffer.from(token, 'latin1'));
}

function digestOf(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
