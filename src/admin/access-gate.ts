// Who may ask for what on the admin port, decided before a body is read. Says no with a code; never logs a token.
import type { IncomingHttpHeaders } from 'node:http';
import { type ErrorCode, GraygateError } from '../errors.ts';
import type { Access } from './admin-parts.ts';
import { FailureLimit } from './failure-limit.ts';
import { isLoopback } from './peer.ts';
import { isLocalHost, isOwnOrigin } from './same-site.ts';
import { bearerDigest, TokenBook } from './token-book.ts';

/** What a route asks for. An operator may do all that a viewer may; `ingest` stands beside both. */
export type Role = 'viewer' | 'operator' | 'ingest';

/** One request, as far as access goes. `peer` is the address of the connection. */
export type Visitor = { readonly peer: string; readonly headers: IncomingHttpHeaders };

export type Admission =
  | { readonly ok: true; readonly by: string }
  | { readonly ok: false; readonly error: GraygateError; readonly headers: Readonly<Record<string, string>> };

/** The name in the audit log of who needs no token. */
export const loopbackName = 'loopback';

/** Headers that a proxy adds: with one of them the connection's other end is not who asks. */
const forwardingHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'] as const;

export class AccessGate {
  readonly #access: Access;
  readonly #book: TokenBook;
  readonly #limit = new FailureLimit();

  constructor(access: Access) {
    this.#access = access;
    this.#book = new TokenBook(() => access.tokens());
  }

  /** Whether a visitor may do what `role` may, and who that is. */
  admit(visitor: Visitor, role: Role, nowMs: number): Admission {
    const { host, origin } = visitor.headers;
    if (!isOwnOrigin(origin, host, this.#access.origins())) return refused('foreign-origin');
    return this.#book.isEmpty ? admitLoopback(visitor) : this.#admitHolder(visitor, role, nowMs);
  }

  /** Whether a visitor who was let in would be let in again; nothing is counted against them. */
  isStillAdmitted({ peer, headers }: Visitor, role: Role): boolean {
    if (this.#book.isEmpty) return isLoopback(peer);
    const digest = bearerDigest(headers.authorization);
    const holder = digest === null ? null : this.#book.holderOf(digest);
    return holder !== null && permits(holder.role, role);
  }

  /** A page that brings its own authority along: only where it comes from counts. */
  admitPage({ headers }: Visitor): Admission {
    const isOwn = isOwnOrigin(headers.origin, headers.host, this.#access.origins());
    return isOwn ? { ok: true, by: '' } : refused('foreign-origin');
  }

  /**
   * Something that cannot be guessed was wrong; `guess` tells one from another. Refused is who was wrong too often. Only who was wrong
   * is ever limited: behind a shared address a stranger must not be able to keep operators out.
   */
  admitGuess({ peer }: Visitor, guess: string, nowMs: number): Admission {
    const waitMs = this.#limit.waitMs(peer, nowMs);
    if (waitMs > 0) return refused('too-many-failures', undefined, { 'retry-after': String(Math.ceil(waitMs / 1000)) });
    if (this.#limit.failed(peer, guess, nowMs)) this.#access.guessed(peer);
    return { ok: true, by: '' };
  }

  #admitHolder(visitor: Visitor, role: Role, nowMs: number): Admission {
    const digest = bearerDigest(visitor.headers.authorization);
    if (digest === null) {
      return refused('token-required', 'expected Authorization: Bearer and a token', {
        'www-authenticate': 'Bearer realm="graygate"',
      });
    }
    const holder = this.#book.holderOf(digest);
    if (holder === null) {
      const limited = this.admitGuess(visitor, digest.toString('base64'), nowMs);
      if (!limited.ok) return limited;
      return refused('token-required', 'the token is not one of the policy', {
        'www-authenticate': 'Bearer realm="graygate", error="invalid_token"',
      });
    }
    if (permits(holder.role, role)) return { ok: true, by: holder.name };
    return refused('not-allowed', `this asks for the role ${role}, the token has the role ${holder.role}`, {
      'www-authenticate': 'Bearer realm="graygate", error="insufficient_scope"',
    });
  }
}

function permits(has: Role, needed: Role): boolean {
  return has === needed || (has === 'operator' && needed === 'viewer');
}

/** Without tokens: this machine only, asked for by its own name, and nobody behind a proxy on it. */
function admitLoopback({ peer, headers }: Visitor): Admission {
  if (!isLoopback(peer))
    return refused('loopback-only', 'the policy has no admin.tokens, so only this machine may ask');
  const forwarding = forwardingHeaders.find((name) => headers[name] !== undefined);
  if (forwarding !== undefined) {
    return refused('loopback-only', `the request came through a proxy (${forwarding}): give the policy admin.tokens`);
  }
  if (isLocalHost(headers.host)) return { ok: true, by: loopbackName };
  return refused('foreign-host', 'without admin.tokens the Host must be localhost, 127.0.0.1 or [::1]');
}

function refused(code: ErrorCode, detail?: string, headers: Readonly<Record<string, string>> = {}): Admission {
  return { ok: false, error: new GraygateError(code, detail), headers };
}
