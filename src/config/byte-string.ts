// The one place where text of a policy takes the form in which it is compared with requests, and back.
import type { ByteString } from '../rollout/policy.ts';

const beyondAscii = /[^\0-\x7f]/;

/** Unicode text as one char (0–255) a byte of its UTF-8; ASCII comes back as it is. */
export function toByteString(text: string): ByteString {
  return beyondAscii.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** The text that the bytes spell; what is not UTF-8 becomes U+FFFD. ASCII comes back as it is. */
export function fromByteString(bytes: ByteString): string {
  return beyondAscii.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
}
