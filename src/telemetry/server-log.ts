// One line when a server goes out, or comes back.
import type { ServerReport, ServerState } from '../rollout/server-report.ts';

/** The two verbs of the logger that are used. */
export interface ServerLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const messages: Readonly<Partial<Record<ServerState, string>>> = {
  down: 'a server fails its health checks',
  ejected: 'a server is left alone for a while',
  unresolved: 'the name of a server is not found',
  stale: 'the name of a server could not be looked up; its addresses stay in use',
};

/** What heals itself is a warning, what has healed an information; that a server is as it should be at first is not said. */
export function createServerLog(logger: ServerLogger): (report: ServerReport) => void {
  const troubled = new Set<string>();
  return ({ state, ...report }) => {
    const key = `${report.rollout}/${report.version} ${report.server} ${report.address ?? ''}`;
    const message = messages[state];
    if (message !== undefined) {
      troubled.add(key);
      logger.warn({ ...report, state }, message);
    } else if (troubled.delete(key) && state !== 'gone') logger.info({ ...report, state }, 'a server is well again');
  };
}
