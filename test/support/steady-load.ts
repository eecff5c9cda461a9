// Load at a steady rate over kept-alive connections, for tests that count what users saw.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export type LoadAnswer = {
  /** In which place it was sent, from 0; answers may come in another order. */
  readonly number: number;
  readonly user: string;
  readonly version: string;
  /** 0: the request failed. */
  readonly status: number;
};

export type LoadOptions = {
  readonly port: number;
  readonly perSecond: number;
  readonly users: number;
};

export type Load = {
  readonly answers: readonly LoadAnswer[];
  sentCount(): number;
  /** Resolves when the last request has ended. */
  stop(): Promise<void>;
};

/** What could not be sent in time is sent later only if it is this little late: a busy machine makes no burst of it. */
const mostLateMs = 50;

/** Sends GET requests of `users` users in turn until stopped; never more than a second's worth at a time. */
export function startLoad({ port, perSecond, users }: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const answers: LoadAnswer[] = [];
  const open = new Set<Promise<number>>();
  let dueMs = performance.now();
  let sentCount = 0;
  const send = (): void => {
    const user = `user-${(sentCount * 7_919) % users}`;
    const number = sentCount;
    const ended = ask({ agent, port, user }).then((answer) => answers.push({ number, user, ...answer }));
    sentCount += 1;
    open.add(ended);
    void ended.finally(() => open.delete(ended));
  };
  const timer = setInterval(() => {
    const nowMs = performance.now();
    dueMs = Math.max(dueMs, nowMs - mostLateMs);
    for (; dueMs <= nowMs && open.size < perSecond; dueMs += 1_000 / perSecond) send();
  }, 5);
  // A test that fails does not come to the end of its load, and its process has to end all the same.
  timer.unref();
  return {
    answers,
    sentCount: () => sentCount,
    async stop() {
      clearInterval(timer);
      while (open.size > 0) await Promise.race([Promise.all(open), sleep(100)]);
      agent.destroy();
    },
  };
}

type Asking = { readonly agent: Agent; readonly port: number; readonly user: string };

function ask({ agent, port, user }: Asking): Promise<Pick<LoadAnswer, 'version' | 'status'>> {
  return new Promise((resolve) => {
    const outgoing = request(
      { agent, port, host: '127.0.0.1', path: '/', headers: { 'x-user-id': user } },
      (answer) => {
        const version = String(answer.headers['x-graygate-version'] ?? '');
        answer.resume();
        answer.on('end', () => resolve({ version, status: answer.statusCode ?? 0 }));
        answer.on('error', () => resolve({ version, status: 0 }));
      },
    );
    outgoing.on('error', () => resolve({ version: '', status: 0 }));
    outgoing.end();
  });
}
