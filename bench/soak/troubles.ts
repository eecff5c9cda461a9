// What a soak does to its system, one trouble at a time and undone before the next, so that there is always a healthy server.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { policyText, type SoakPlace } from './policy.ts';
import type { Trouble, TroubleRecord } from './record.ts';

const stalledForMs = 4_000;
const deadForMs = 4_000;
/** So that the gateway's health checks see that a server is back before the next one goes. */
const quietMs = 4_000;

/** The app servers, each in a process of its own. */
export class AppServers {
  readonly #processes = new Map<number, ChildProcess>();

  start(port: number): void {
    const child = spawn(process.execPath, ['bench/soak/server.ts', String(port)], { stdio: 'inherit' });
    this.#processes.set(port, child);
  }

  kill(port: number): void {
    this.#processes.get(port)!.kill('SIGKILL');
  }

  stall(port: number): void {
    this.#processes.get(port)!.kill('SIGSTOP');
  }

  goOn(port: number): void {
    this.#processes.get(port)!.kill('SIGCONT');
  }

  stop(): void {
    for (const child of this.#processes.values()) child.kill('SIGKILL');
  }
}

export type Troubled = {
  readonly place: SoakPlace;
  readonly servers: AppServers;
  readonly gatewayPid: number;
  noted(record: TroubleRecord): void;
};

/** Makes trouble, in turn, until `stop` says so. */
export async function makeTrouble(system: Troubled, stop: AbortSignal): Promise<void> {
  const { stable, canary } = system.place.ports;
  const ports = [...stable, ...canary];
  for (let turn = 0; !stop.aborted; turn += 1) {
    const port = ports[turn % ports.length]!;
    await [killServer, stallServer, changePolicy, killWorker, breakPolicy][turn % 5]!(system, port, turn);
    await sleep(quietMs, undefined, { signal: stop }).catch(() => undefined);
  }
}

function note(system: Troubled, trouble: Trouble, what: string | number): void {
  system.noted({ atMs: Date.now(), trouble, what: String(what) });
}

async function killServer(system: Troubled, port: number): Promise<void> {
  note(system, 'server killed', port);
  system.servers.kill(port);
  await sleep(deadForMs);
  system.servers.start(port);
  note(system, 'server back', port);
}

async function stallServer(system: Troubled, port: number): Promise<void> {
  note(system, 'server stalled', port);
  system.servers.stall(port);
  await sleep(stalledForMs);
  system.servers.goOn(port);
  note(system, 'server back', port);
}

async function changePolicy(system: Troubled, _port: number, turn: number): Promise<void> {
  const percent = (turn * 7) % 60;
  // Every other time a server less: those that stay keep their connections.
  await writeFile(system.place.policyFile, policyText(system.place, { percent, leavesOut: turn % 2 === 0 }));
  note(system, 'policy changed', `canary ${percent} %`);
}

async function breakPolicy(system: Troubled): Promise<void> {
  await writeFile(system.place.policyFile, 'version: 1\nlisten: nowhere\n');
  note(system, 'bad policy', '');
}

async function killWorker(system: Troubled): Promise<void> {
  const workers = childrenOf(system.gatewayPid);
  const pid = workers[Math.floor(workers.length / 2)];
  if (pid === undefined) return;
  process.kill(pid, 'SIGKILL');
  note(system, 'worker killed', pid);
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
      } catch {
        return false;
      }
    })
    .map(Number);
}
