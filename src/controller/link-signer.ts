// Signs and reads links with a random key of graygate's own, which no receiver has. The key is made at first use, kept in the store and
// never shown, so links outlive a restart, and every gateway on the same store reads them.
import { randomBytes } from 'node:crypto';
import { GraygateError } from '../errors.ts';
import type { AlertTarget } from '../rollout/policy.ts';
import { type ActionLink, type LinkReading, readActionLink, signActionLink } from './action-link.ts';
import { targetKey } from './alert-target.ts';

/** What is needed of the store: documents by name, of which the first that is put stays. */
export interface KeyStore {
  /** Resolves with the one that is kept. */
  putFirst(name: string, document: KeptKey): Promise<KeptKey>;
}

type KeptKey = { readonly format: number; readonly value: unknown };

const keyName = 'link-key';
const keyBytes = 32;

export class LinkSigner {
  readonly #store: KeyStore;
  /** Signs as long as the store has not said which key is kept; it keeps this one if it has none. */
  readonly #ownKey = randomBytes(keyBytes).toString('base64url');
  #keptKey: string | null = null;

  constructor(store: KeyStore) {
    this.#store = store;
  }

  /** Asks the store for the key, unless it is known; a store that cannot say leaves it to the next call. Never rejects. */
  async settle(): Promise<void> {
    if (this.#keptKey !== null) return;
    const offered = { format: 1, value: this.#ownKey };
    const kept = await this.#store.putFirst(keyName, offered).catch(() => null);
    if (typeof kept?.value === 'string') this.#keptKey = kept.value;
  }

  sign(link: ActionLink): string {
    return signActionLink(link, this.#keptKey ?? this.#ownKey);
  }

  /**
   * What a token allows now. A link to a target that the policy sends none any more is forged. Throws `store-unavailable` for one
   * that may be good, as long as the key is not known.
   */
  read(token: string, targets: readonly AlertTarget[], nowMs: number): LinkReading {
    const reading = readActionLink(token, [this.#keptKey ?? this.#ownKey, this.#ownKey], nowMs);
    if (!reading.ok && reading.reason === 'forged' && this.#keptKey === null) {
      throw new GraygateError('store-unavailable', 'the key of the links is in the store, which cannot be read now');
    }
    if (!reading.ok) return reading;
    const isSentLinks = targets.some((each) => each.approveUrl !== null && targetKey(each) === reading.link.target);
    return isSentLinks ? reading : { ok: false, reason: 'forged' };
  }
}
