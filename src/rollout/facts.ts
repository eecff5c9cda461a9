// What the decision may know of a request: read only, every text a ByteString. The gateway and `explain` provide it.
import type { ByteString } from './policy.ts';

export interface Facts {
  /** As sent: `GET`. */
  readonly method: string;
  /** Lower case, without the port. */
  readonly host: string;
  /** Unreserved percent-encoding decoded, dot segments removed, without the query. */
  readonly path: ByteString;
  /** The client's address behind trusted proxies; an IPv4-mapped IPv6 address as IPv4. */
  readonly ip: string;
  /** First value of a header by its lower-case name. */
  header(name: string): ByteString | undefined;
  /** Percent-decoded. */
  cookie(name: string): ByteString | undefined;
  /** First value, percent-decoded. */
  query(name: string): ByteString | undefined;
  /** A claim of a verified token; undefined for an absent or unverified one. */
  claim(name: string): ByteString | undefined;
  /** A random user ID for a request without one; the same for every call on one request. */
  freshUserId(): ByteString;
}
