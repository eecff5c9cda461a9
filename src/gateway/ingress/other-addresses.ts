// A name to listen on can have several addresses (`localhost`: 127.0.0.1 and ::1). What comes in on the others goes the same way as
// on the first, through the same limits and the same TLS.
import { lookup } from 'node:dns/promises';
import type { Server as HttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';

/** The addresses to listen on; those of `localhost` only, since any other name is the operator's choice of one address. */
export async function addressesOf(host: string): Promise<string[]> {
  if (host !== 'localhost') return [host];
  const found = await lookup(host, { all: true }).catch(() => []);
  const addresses = [...new Set(found.map(({ address }) => address))];
  return addresses.length === 0 ? [host] : addresses;
}

/** Listens on further addresses for `server`, on the same port; one that cannot be had is done without. */
export async function listenBeside(server: HttpServer, addresses: readonly string[], port: number): Promise<Server[]> {
  const beside = addresses.map((address) => listenOn(server, address, port));
  return (await Promise.all(beside)).filter((each) => each !== null);
}

function listenOn(server: HttpServer, host: string, port: number): Promise<Server | null> {
  const other = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket));
  return new Promise((resolve) => {
    other.once('error', () => resolve(null));
    other.listen({ host, port }, () => resolve(other));
  });
}
