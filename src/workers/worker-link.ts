// The control process's end of one worker: the process, what is sent to it and in which order, and what it was handed and has not
// taken yet.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PackedPolicy } from '../config/policy-parcel.ts';
import type { Taker } from './acceptor.ts';
import type { FromWorker, PolicyOrder, Report, SplitNews, ToWorker, Usage, WorkerSettings } from './messages.ts';
import { type Ending, endOf } from './process-end.ts';
import { partsOf } from './user-list-parts.ts';
import { Pulse, type PulseState, type Watched } from './watchdog.ts';
import { workerFlags } from './worker-flags.ts';

/** So many connections may be on their way at once: a worker that hangs holds no more than these up. */
const mostUntaken = 8;

/** What the control process does about a worker. */
export interface LinkListener {
  /** It serves a policy (`servedSerial`), the first one or another. */
  serves(isFirst: boolean): void;
  reported(report: Report): void;
  hasRoom(): void;
  /** It answers again after it was late. */
  answersAgain(): void;
  /** Its process has ended and everything that it said was heard. `untaken`: connections that it never began to serve. */
  gone(ending: Ending, untaken: readonly Socket[]): void;
}

/** A policy as every worker gets it. `splits` is asked when it is sent, so that none of them is old by then. */
export type PolicyForAll = Omit<PolicyOrder, 'splits' | 'lists' | 'parcel'> & {
  readonly packed: PackedPolicy;
  splits(this: void): readonly SplitNews[];
};

export class WorkerLink implements Taker, Watched {
  readonly index: number;
  /** What it last said of itself; null before. */
  usage: Usage | null = null;
  readonly #child: ChildProcess;
  readonly #listener: LinkListener;
  /** Handed over and not taken, the oldest first. */
  readonly #untaken: Socket[] = [];
  readonly #pulse = new Pulse();
  /** Who waits for a hand-over; they are answered in the order in which they were asked for. */
  readonly #handOvers: (() => void)[] = [];
  #heldDigests: ReadonlySet<string> = new Set();
  #takenCount = 0;
  #reportedOpenCount = 0;
  #sending: Promise<void> = Promise.resolve();
  #servedSerial = 0;

  constructor(settings: WorkerSettings, listener: LinkListener) {
    this.index = settings.index;
    this.#listener = listener;
    this.#child = startProcess(settings);
    this.#child.on('message', (message: FromWorker) => this.#hear(message));
    // A message to a process that has just died; its end is told apart.
    this.#child.on('error', () => undefined);
    void endOf(this.#child).then((ending) => {
      for (const answer of this.#handOvers.splice(0)) answer();
      return this.#listener.gone(ending, this.#untaken.splice(0));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** 0 until it serves. */
  get servedSerial(): number {
    return this.#servedSerial;
  }

  get hasRoom(): boolean {
    const isThere = this.#servedSerial > 0 && this.#child.connected && this.pulse === 'well';
    return isThere && this.#untaken.length < mostUntaken;
  }

  get pulse(): PulseState {
    return this.#pulse.state;
  }

  get openCount(): number {
    return this.#reportedOpenCount + this.#untaken.length;
  }

  /** The connection stays open here until it was taken there. */
  hand(socket: Socket): void {
    this.#untaken.push(socket);
    this.#child.send({ kind: 'connection' } satisfies ToWorker, socket, { keepOpen: true }, () => undefined);
  }

  /** Sends a policy after the ones before it, and first the lists of users that the worker does not hold yet. */
  adopt(policy: PolicyForAll): void {
    this.#sending = this.#sending.then(() => this.#sendPolicy(policy));
  }

  tell(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  ask(): void {
    if (this.#pulse.nextRound()) this.tell({ kind: 'ping' });
  }

  /** Resolves when all that the worker had to say by now is heard, or it is gone. */
  handOver(): Promise<void> {
    return new Promise((resolve) => {
      this.#handOvers.push(resolve);
      this.tell({ kind: 'hand-over' });
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #sendPolicy({ packed, splits, ...order }: PolicyForAll): Promise<void> {
    const missing = packed.lists.filter(({ digest }) => !this.#heldDigests.has(digest));
    for (const list of new Map(missing.map((each) => [each.digest, each])).values()) {
      for (const lines of partsOf(list)) await this.#sendPart({ kind: 'users', digest: list.digest, lines });
    }
    this.#heldDigests = new Set(packed.lists.map(({ digest }) => digest));
    const lists = packed.lists.map(({ name, digest }) => ({ name, digest }));
    this.tell({ kind: 'policy', order: { ...order, parcel: packed.parcel, lists, splits: splits() } });
  }

  /** Waits until the part has left this process, and lets others have a turn. */
  async #sendPart(message: ToWorker): Promise<void> {
    if (!this.#child.connected) return;
    await new Promise<void>((resolve) => this.#child.send(message, () => resolve()));
    await nextTurn();
  }

  #hear(message: FromWorker): void {
    const wasLate = this.pulse === 'late';
    this.#pulse.heard();
    if (wasLate) this.#listener.answersAgain();
    switch (message.kind) {
      case 'serves':
        this.#serves(message.serial);
        break;
      case 'connections':
        this.#take(message.takenCount - this.#takenCount);
        this.#takenCount = message.takenCount;
        this.#reportedOpenCount = message.openCount;
        this.#listener.hasRoom();
        break;
      case 'pong':
        break;
      case 'handed-over':
        this.#handOvers.shift()?.();
        break;
      default:
        this.usage = message.report.usage ?? this.usage;
        this.#listener.reported(message.report);
    }
  }

  #serves(serial: number): void {
    const isFirst = this.#servedSerial === 0;
    this.#servedSerial = serial;
    if (isFirst) this.#pulse.begun();
    this.#listener.serves(isFirst);
  }

  /** The worker has them: this process lets go. */
  #take(count: number): void {
    for (const socket of this.#untaken.splice(0, count)) socket.destroy();
  }
}

function startProcess(settings: WorkerSettings): ChildProcess {
  const ownUrl = import.meta.url;
  const entry = new URL(ownUrl.endsWith('.ts') ? '../worker-main.ts' : '../worker-main.js', ownUrl);
  return fork(fileURLToPath(entry), [JSON.stringify(settings)], {
    execArgv: workerFlags(process.execArgv, process.env.NODE_OPTIONS),
    serialization: 'advanced',
    env: servingEnvironment(process.env),
    // Workers log through the control process, so that no two processes write into one line.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

const servingVariables =
  /^(?:NODE_|UV_|OPENSSL_|SSL_CERT_|LC_|LD_|DYLD_|MALLOC_|LANG$|TZ$|TMPDIR$|HOME$|PATH$|SYSTEMROOT$)/i;

/** What the platform reads; secrets of the policy, which may be in the environment too, are not for a process that faces clients. */
function servingEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => servingVariables.test(name)));
}
