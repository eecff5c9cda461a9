// From what became of an attempt to what it means: the kind of fault, whether it may be sent again, what to answer.
import type { ErrorCode } from '../errors.ts';
import type { FaultKind } from '../rollout/outcome.ts';

const kindByCode: Readonly<Record<string, FaultKind>> = {
  __proto__: null as never,
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
};

/**
 * The kind of an error of the platform's HTTP client; `written` says whether the request had been put on a connection. One that was
 * lost is a reset even before: the server that took it is there and may be asked again, unlike one that refuses.
 */
export function faultKindOf(error: unknown, written: boolean): FaultKind {
  const { code = '' } = (error ?? {}) as { code?: string };
  const kind = kindByCode[code];
  if (kind !== undefined) return kind;
  if (code.startsWith('HPE_') || code.startsWith('ERR_')) return 'protocol';
  return written ? 'reset' : 'connect';
}

/** What the operating system says when this machine, or this process, has no room for another connection. */
const shortages: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** Whether a connection failed for what graygate itself lacks: no server, and so no version, is to blame. */
export function isOwnShortage(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: string; cause?: { code?: string } };
  return shortages.has(code ?? '') || shortages.has(cause?.code ?? '');
}

const errorByKind: Readonly<Record<FaultKind, ErrorCode>> = {
  connect: 'upstream-connect',
  reset: 'upstream-reset',
  timeout: 'upstream-timeout',
  protocol: 'upstream-protocol',
};

/** What the client is answered when nobody else can take the request. */
export function errorCodeOf(kind: FaultKind): ErrorCode {
  return errorByKind[kind];
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const idempotentMethods: ReadonlySet<string> = new Set([...safeMethods, 'PUT', 'DELETE']);

/** What is known of a request that failed. */
export type Sent = { readonly method: string; readonly written: boolean; readonly bodyTouched: boolean };

/**
 * Whether a request that failed before its first response byte may be sent again (RFC 9110, 9.2.2): always when nothing
 * was sent; after a reset when it is idempotent, as a kept-alive connection may be closed the moment it is used; else
 * when it is safe. Never once a byte of its body was taken, which cannot be had again.
 */
export function canSendAgain(kind: FaultKind, sent: Sent): boolean {
  if (sent.bodyTouched) return false;
  if (!sent.written) return true;
  return kind === 'reset' ? idempotentMethods.has(sent.method) : safeMethods.has(sent.method);
}
