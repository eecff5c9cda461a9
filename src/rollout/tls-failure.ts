// A server that is there and with which TLS came to nothing, as a plain record. Pure.

/** `problem`: what the TLS library says of it; for operators, never for clients. */
export type TlsFailure = {
  readonly rollout: string;
  readonly version: string;
  /** The origin as the policy has it. */
  readonly server: string;
  /** The IP address that its name led to; null where the origin has one. */
  readonly address: string | null;
  readonly problem: string;
};
