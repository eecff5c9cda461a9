// When a child process has ended, for whoever listens to it: it is dead, and all that it said is heard.
import type { ChildProcess } from 'node:child_process';

export type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

const lookEveryMs = 20;

/**
 * Resolves once the process has exited, or could not be started, and its channel is read to the end. The platform never says
 * `disconnect` where the process died before it had confirmed a connection that it was sent (Node.js 24 waits for that); `connected` is right.
 */
export function endOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    const ended = (ending: Ending): void => {
      if (!child.connected) return resolve(ending);
      const timer = setInterval(() => {
        if (child.connected) return;
        clearInterval(timer);
        resolve(ending);
      }, lookEveryMs);
    };
    child.once('exit', (code, signal) => ended({ code, signal }));
    child.once('error', () => child.pid === undefined && resolve({ code: null, signal: null }));
  });
}
