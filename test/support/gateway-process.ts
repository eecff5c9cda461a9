// A gateway in a process of its own, so that a test can look at its memory and not at its own.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { startGateway, type TestContext } from './gateways.ts';
import { shopPolicy } from './policies.ts';

export type GatewayProcess = {
  readonly port: number;
  /** The most memory the process has had so far. */
  peakBytes(): Promise<number>;
};

/** A gateway before one server; runs until the test ends. */
export async function forkGateway(context: TestContext, origin: string): Promise<GatewayProcess> {
  const child: ChildProcess = fork(import.meta.filename, [origin], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  context.after(() => void child.kill('SIGKILL'));
  const [port] = (await once(child, 'message')) as [number];
  return {
    port,
    async peakBytes() {
      const answer = once(child, 'message');
      child.send('peak');
      const [kibibytes] = (await answer) as [number];
      return kibibytes * 1_024;
    },
  };
}

if (import.meta.main) {
  const { port } = await startGateway({ after: () => undefined }, shopPolicy({ stable: process.argv[2]! }));
  process.on('message', () => process.send!(process.resourceUsage().maxRSS));
  process.send!(port);
}
