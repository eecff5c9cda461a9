// The servers of a benchmark as child processes: started, waited for, and ended with everything below them, whatever happens.
import { spawn } from 'node:child_process';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const groups = new Set<number>();

export type Server = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
};

/** Starts a server in a process group of its own and waits until its port answers. Returns its process ID. */
export async function startServer(server: Server, env: NodeJS.ProcessEnv = {}): Promise<number> {
  const child = spawn(server.command, server.args, {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (child.pid !== undefined) groups.delete(child.pid);
      reject(new Error(`${server.name} ended with ${code ?? signal}: ${said.trim()}`));
    });
  });
  failed.catch(() => {});
  if (child.pid === undefined) return failed;
  groups.add(child.pid);
  await Promise.race([failed, untilAnswering(server)]);
  return child.pid;
}

/** Ends every server at once, with its workers. */
export function killServers(): void {
  for (const group of groups) {
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  groups.clear();
}

/** A port of the loopback address that nobody listens on. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function untilAnswering({ name, port }: Server): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await isAnswering(port))) {
    if (Date.now() > deadline) throw new Error(`${name} does not listen on port ${port}`);
    await sleep(50);
  }
}

function isAnswering(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
