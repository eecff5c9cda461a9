// Keeps a gateway busy while a test does something to it, and says what became of every request.
import { Agent } from 'node:http';
import { send, type Reply, type Sending } from './http-client.ts';

export type Load = {
  /** Answers so far, the status and the version that gave it. */
  readonly answers: { status: number; version: string | undefined; body: string }[];
  /** Requests that got none. */
  readonly failures: Error[];
  /** Lets the requests under way end. */
  stop(): Promise<void>;
};

/** So many clients that each send one request after the other; `next` says which, by its number. */
export function startLoad(port: number, clientCount: number, next: (index: number) => Omit<Sending, 'port'>): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clientCount });
  const load = { answers: [] as Load['answers'], failures: [] as Error[] };
  const state = { isStopped: false };
  let index = 0;
  const run = async (): Promise<void> => {
    while (!state.isStopped) {
      const sending = next(index++);
      const reply: Reply | Error = await send({ port, agent, ...sending }).catch((error: Error) => error);
      if (reply instanceof Error) load.failures.push(reply);
      else load.answers.push({ status: reply.status, version: reply.header('x-graygate-version'), body: reply.body });
    }
  };
  const clients = Array.from({ length: clientCount }, run);
  return {
    ...load,
    async stop() {
      state.isStopped = true;
      await Promise.all(clients);
      agent.destroy();
    },
  };
}
