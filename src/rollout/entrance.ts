// Where traffic and people come in, who may, and how much at once. Types only.

export type ListenAddress = { readonly host: string; readonly port: number };

/** `clientCa`: PEM text of the authorities of which every client must have a certificate; null: clients need none. */
export type Tls = {
  /** The first is for clients that name no host, or one that no certificate has. */
  readonly certificates: readonly [Certificate, ...Certificate[]];
  readonly clientCa: string | null;
};

/** PEM text; the certificate may be followed by its chain. Valid from one time until the other, in milliseconds since 1970. */
export type Certificate = {
  /** Lower case; `*.example.com` is every name with one label before it. */
  readonly names: readonly string[];
  readonly cert: string;
  readonly key: string;
  readonly fromMs: number;
  readonly untilMs: number;
};

/** Who may use the admin API. An operator may do all that a viewer may; `ingest` may only send events. */
export type AdminToken = {
  readonly name: string;
  readonly role: 'viewer' | 'operator' | 'ingest';
  readonly token: string;
};

/** Sizes in bytes; `Infinity` means unlimited. */
export type Limits = {
  readonly headerBytes: number;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly connectionsPerSecond: number;
};
