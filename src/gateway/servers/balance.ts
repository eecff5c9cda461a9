// What a way of balancing sees and must do. It knows weights and who can take a request, not why one cannot.

/** A server as balancing sees it. */
export interface Choosable {
  /** What it is called; the same after a reload. */
  readonly label: string;
  /** Requests under way on it. */
  readonly inFlightCount: number;
  /** Whether its limit leaves room for one more. */
  readonly hasRoom: boolean;
}

/** A server and its share in proportion to the others', slow start included. */
export type Share<S extends Choosable> = { readonly server: S; readonly weight: number };

export interface Balancer<S extends Choosable> {
  /** Takes over who may be asked now, and their weights. */
  prepare(shares: readonly Share<S>[]): void;
  /** One that has room and is not in `tried`, or null. `key` says who asks: the user, or where none is known the address. */
  pick(tried: readonly S[], key: string): S | null;
}

/** Whether a server can be picked at all. */
export function isOpen<S extends Choosable>(server: S, tried: readonly S[]): boolean {
  return server.hasRoom && (tried.length === 0 || !tried.includes(server));
}
