// Ends a listening server without cutting what is under way: no new connection, idle ones closed, the rest within a time.
import type { Server as HttpServer } from 'node:http';

/** How often connections that became idle are looked for. */
const sweepMs = 50;

export type DrainOptions = {
  readonly drainMs: number;
  /** Closes the connections on which no request ever began: the server does not count them as idle. */
  closeUnused(): void;
  /** Cuts every connection that is left. */
  cutRest(): void;
  /** Resolves when no connection is left, those among them that the server did not accept itself. */
  allClosed(): Promise<void>;
};

/** Resolves when every connection is closed; at the deadline those that are left are cut. */
export async function drainServer(server: HttpServer, options: DrainOptions): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const closeIdle = (): void => {
    server.closeIdleConnections();
    options.closeUnused();
  };
  closeIdle();
  const sweep = setInterval(closeIdle, sweepMs);
  const deadline = setTimeout(() => {
    options.cutRest();
    server.closeAllConnections();
  }, options.drainMs);
  await closed;
  await options.allClosed();
  clearInterval(sweep);
  clearTimeout(deadline);
}
