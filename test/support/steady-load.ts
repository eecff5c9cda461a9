// Load at a steady rate over kept-alive connections, for tests that count what users saw.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request that fails has status 0. */
export type LoadAnswer = { readonly user: string; readonly version: string; readonly status: number };

export type LoadOptions = {
  readonly port: number;
  readonly perSecond: number;
  readonly users: number;
};

export type Load = {
  readonly answers: readonly LoadAnswer[];
  /** Resolves when the last request has ended. */
  stop(): Promise<void>;
};

/** Sends GET requests of `users` users in turn until stopped; never more than a second's worth at a time. */
export function startLoad({ port, perSecond, users }: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const answers: LoadAnswer[] = [];
  const open = new Set<Promise<number>>();
  const beganMs = performance.now();
  let sentCount = 0;
  const send = (): void => {
    const user = `user-${(sentCount * 7_919) % users}`;
    sentCount += 1;
    const ended = ask({ agent, port, user }).then((answer) => answers.push(answer));
    open.add(ended);
    void ended.finally(() => open.delete(ended));
  };
  const timer = setInterval(() => {
    const dueCount = Math.floor(((performance.now() - beganMs) * perSecond) / 1_000);
    const freeCount = perSecond - open.size;
    for (const _ of Array.from({ length: Math.min(dueCount - sentCount, freeCount) })) send();
  }, 5);
  // A test that fails does not come to the end of its load, and its process has to end all the same.
  timer.unref();
  return {
    answers,
    async stop() {
      clearInterval(timer);
      while (open.size > 0) await Promise.race([Promise.all(open), sleep(100)]);
      agent.destroy();
    },
  };
}

function ask({ agent, port, user }: { agent: Agent; port: number; user: string }): Promise<LoadAnswer> {
  return new Promise((resolve) => {
    const outgoing = request(
      { agent, port, host: '127.0.0.1', path: '/', headers: { 'x-user-id': user } },
      (answer) => {
        const version = String(answer.headers['x-graygate-version'] ?? '');
        answer.resume();
        answer.on('end', () => resolve({ user, version, status: answer.statusCode ?? 0 }));
        answer.on('error', () => resolve({ user, version, status: 0 }));
      },
    );
    outgoing.on('error', () => resolve({ user, version: '', status: 0 }));
    outgoing.end();
  });
}
