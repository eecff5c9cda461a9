// From what the client library reports to what it means: the kind of fault, whether anything was sent, what to answer.
import type { ErrorCode } from '../errors.ts';
import type { FaultKind } from '../rollout/outcome.ts';

const kindByCode: Readonly<Record<string, FaultKind>> = {
  __proto__: null as never,
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  UND_ERR_SOCKET: 'reset',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'protocol',
};

/**
 * The kind of an error of the HTTP client; `written` says whether the request had been put on a connection. One that was
 * lost is a reset even before: the server that took it is there and may be asked again, unlike one that refuses.
 */
export function faultKindOf(error: unknown, written: boolean): FaultKind {
  const { code = '', name = '', message = '' } = (error ?? {}) as { code?: string; name?: string; message?: string };
  if (code === 'UND_ERR_SOCKET' && message.startsWith('bad ')) return 'protocol';
  const kind = kindByCode[code];
  if (kind !== undefined) return kind;
  if (name === 'HTTPParserError' || code.startsWith('HPE_') || code.startsWith('ERR_')) return 'protocol';
  return written ? 'reset' : 'connect';
}

/** Whether the client library itself would not send the request: no server is to blame. */
export function isOwnRefusal(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: string };
  return code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED';
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
