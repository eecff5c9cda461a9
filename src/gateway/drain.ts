// Ends a listening server without cutting what is under way: no new connection, idle ones closed, the rest within a time.
import type { Server as HttpServer } from 'node:http';

/** How often connections that became idle are looked for. */
const sweepMs = 50;

/** Resolves when every connection is closed; at the deadline those that are left are cut. */
export async function drainServer(
  server: HttpServer,
  options: { drainMs: number; cutUpgrades: () => void },
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const sweep = setInterval(() => server.closeIdleConnections(), sweepMs);
  const deadline = setTimeout(() => {
    options.cutUpgrades();
    server.closeAllConnections();
  }, options.drainMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
