// Every failure graygate can answer or report, as one table, and the one error class that carries a row of it.

/** Code → HTTP status (0 where it never reaches a client) and what it means. `docs/errors.md` lists the same rows. */
export const errorTable = {
  'malformed-request': { status: 400, title: 'the request is malformed' },
  'request-timeout': { status: 408, title: 'the request headers did not arrive in time' },
  'body-too-large': { status: 413, title: 'the request body is larger than allowed' },
  'expectation-failed': { status: 417, title: 'the expectation cannot be met' },
  'headers-too-large': { status: 431, title: 'the request headers are larger than allowed' },
  'no-rollout': { status: 404, title: 'no rollout matches this host and path' },
  'method-not-supported': { status: 501, title: 'the method is not supported' },
  'upstream-connect': { status: 502, title: 'no connection to the server' },
  'upstream-reset': { status: 502, title: 'the server closed the connection before it answered' },
  'upstream-protocol': { status: 502, title: 'the server sent something that is not HTTP' },
  'upstream-timeout': { status: 504, title: 'the server did not answer in time' },
  'no-server': { status: 503, title: 'no server can take the request' },
  'server-busy': { status: 503, title: 'every server has as many requests as it may' },
  'too-many-connections': { status: 503, title: 'the connection limit is reached' },
  internal: { status: 500, title: 'graygate failed' },
  'policy-invalid': { status: 0, title: 'the policy is invalid' },
  'policy-unreadable': { status: 0, title: 'the policy cannot be read' },
  'worker-failed': { status: 0, title: 'a process that serves traffic cannot be started' },
  'listen-failed': { status: 0, title: 'an address cannot be listened on' },
  'store-unavailable': { status: 503, title: 'the store cannot be used now' },
  'store-conflict': { status: 409, title: 'the stored state has changed since it was loaded' },
  'store-corrupt': { status: 503, title: 'the store is corrupt' },
  'invalid-input': { status: 400, title: 'the request is not what the API takes' },
  'token-required': { status: 401, title: 'a valid token is required' },
  'not-allowed': { status: 403, title: 'the token does not allow this' },
  'loopback-only': { status: 403, title: 'without tokens only this machine may ask' },
  'foreign-origin': { status: 403, title: 'the request comes from a page of another site' },
  'not-found': { status: 404, title: 'there is nothing here' },
  'unknown-rollout': { status: 404, title: 'there is no such rollout' },
  'no-experiment': { status: 404, title: 'the rollout has no experiment' },
  'link-invalid': { status: 404, title: 'the link is not one of graygate' },
  'method-not-allowed': { status: 405, title: 'the method is not allowed here' },
  'phase-conflict': { status: 409, title: 'the phase of the rollout does not allow it' },
  'blocked-by-evidence': { status: 409, title: 'the evidence does not allow it' },
  'link-expired': { status: 410, title: 'the link has expired' },
  'link-used': { status: 410, title: 'the link was used already' },
  'stale-revision': { status: 412, title: 'the rollout has changed since' },
  'unsupported-media-type': { status: 415, title: 'the body is not of the type that is taken here' },
  'foreign-host': { status: 421, title: 'the request is for another host' },
  'key-reused': { status: 422, title: 'the idempotency key was used for another request' },
  'too-many-failures': { status: 429, title: 'too many wrong tokens came from this address' },
  'events-overload': { status: 429, title: 'events come faster than they can be stored' },
  'too-many-streams': { status: 503, title: 'too many streams are open' },
  usage: { status: 0, title: 'the command line is wrong' },
  unreachable: { status: 0, title: 'the gateway cannot be reached' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof errorTable;

/** A failure with a code of `errorTable`; the message is safe to show a client. */
export class GraygateError extends Error {
  readonly code: ErrorCode;
  readonly status: number;

  constructor(code: ErrorCode, message?: string, options?: { cause?: unknown }) {
    super(message ?? errorTable[code].title, options);
    this.name = 'GraygateError';
    this.code = code;
    this.status = errorTable[code].status;
  }
}
