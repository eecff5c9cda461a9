// What a client to servers itself refuses to send: the request is to blame, no server.

/** The request cannot be said in the protocol without changing what it means. */
export class UnsendableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnsendableError';
  }
}
