// Log lines about TLS towards servers: one that cannot be met, and ones that nobody verifies.
import type { Policy } from '../rollout/policy.ts';
import type { TlsFailure } from '../rollout/tls-failure.ts';

/** The verb of the logger that is used. */
export interface TlsLogger {
  warn(fields: object, message: string): void;
}

/** The same failure, of another process or another connection, is not said again before this long. */
const quietMs = 60_000;

/** One line for each failure that is another one than the last of the same server. */
export function createTlsLog(logger: TlsLogger, nowMs: () => number = Date.now): (failure: TlsFailure) => void {
  const said = new Map<string, { readonly problem: string; readonly atMs: number }>();
  return (failure) => {
    const { rollout, version, server, address, problem } = failure;
    const key = `${rollout}/${version} ${server} ${address ?? ''}`;
    const last = said.get(key);
    const now = nowMs();
    if (last !== undefined && last.problem === problem && now - last.atMs < quietMs) return;
    said.set(key, { problem, atMs: now });
    logger.warn(failure, 'a server cannot be asked: TLS with it fails');
  };
}

/** One line for each version whose servers may be anybody. */
export function logInsecure({ rollouts }: Policy, logger: TlsLogger): void {
  for (const rollout of rollouts) {
    for (const { name, tls } of rollout.versions) {
      if (tls?.insecure === true) {
        logger.warn(
          { rollout: rollout.name, version: name },
          'tls.insecure: the servers of this version are not verified',
        );
      }
    }
  }
}
