// Load at a steady rate over kept-alive connections, for tests that count what users saw.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export type LoadAnswer = { readonly user: string; readonly version: string; readonly status: number };

export type LoadOptions = {
  readonly port: number;
  readonly perSecond: number;
  readonly users: number;
  /** Called with every answer; a request that fails has status 0. */
  readonly onAnswer?: (answer: LoadAnswer) => void;
};

export type Load = {
  readonly answers: readonly LoadAnswer[];
  /** Resolves when the last request has ended. */
  stop(): Promise<void>;
};

/** Sends GET requests of `users` users in turn until stopped; never more than a second's worth at a time. */
export function startLoad({ port, perSecond, users, onAnswer }: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const answers: LoadAnswer[] = [];
  const open = new Set<Promise<void>>();
  const beganMs = performance.now();
  let sentCount = 0;
  const send = (): void => {
    const user = `user-${(sentCount * 7_919) % users}`;
    sentCount += 1;
    const ended = ask({ agent, port, user }).then((answer) => {
      answers.push(answer);
      onAnswer?.(answer);
      open.delete(ended);
    });
    open.add(ended);
  };
  const timer = setInterval(() => {
    const dueCount = Math.floor(((performance.now() - beganMs) * perSecond) / 1_000);
    for (let i = 0; sentCount < dueCount && open.size < perSecond && i < perSecond; i += 1) send();
  }, 5);
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
