// Ends a connection on which something is not whole, where its end could be taken for the end of what came before.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Resets it; in TLS it is the end without a closing alert that says so (RFC 8446, 6.1), and the platform resets no such connection. */
export function breakConnection(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
