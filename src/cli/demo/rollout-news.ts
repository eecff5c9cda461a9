// What graygate's own log says while the demo runs: each change of a rollout told as its sentence, trouble as it was logged.
import type { Canvas } from '../paint.ts';
import { isPhase, paintPhase } from '../status-words.ts';
import type { Screen } from './screen.ts';

type Change = {
  readonly rollout: string;
  readonly phase: Parameters<typeof paintPhase>[0];
  /** Of the stage. */
  readonly name: string;
  readonly percent: number;
  readonly reason: string;
  readonly atMs: number;
};

type Options = { readonly json: boolean; readonly canvas: () => Canvas };

/** pino's number for warnings; from it on lines are shown as they are. */
const warnLevel = 40;

/** Keeps what it hears to itself until `begin`, so that the demo can say first where everything is. */
export class RolloutNews {
  readonly #screen: Screen;
  readonly #options: Options;
  readonly #latest = new Map<string, Change>();
  readonly #first = Promise.withResolvers<void>();
  #waiting: Change[] | null = [];

  constructor(screen: Screen, options: Options) {
    this.#screen = screen;
    this.#options = options;
  }

  /** Takes a line of the log. */
  readonly hear = (line: string): void => {
    const logged: unknown = JSON.parse(line);
    const change = changeIn(logged);
    if (change === null) return isTrouble(logged) ? this.#screen.log(line) : undefined;
    this.#latest.set(change.rollout, change);
    this.#first.resolve();
    if (this.#waiting === null) this.#tell(change);
    else this.#waiting.push(change);
  };

  /** Resolves when a rollout has been heard of: its split is in force from then on. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** Tells what was heard, and everything from now on as it comes. */
  begin(): void {
    for (const change of this.#waiting ?? []) this.#tell(change);
    this.#waiting = null;
  }

  /** Where each rollout stands: `shop progressing at 20 % (some)`; empty before anything was heard. */
  get standing(): string {
    return [...this.#latest.values()]
      .map(({ rollout, phase, percent, name }) => `${rollout} ${phase} at ${percent} % (${name})`)
      .join(', ');
  }

  /** The first rollout that was heard of; null: none. */
  get firstRollout(): string | null {
    return this.#latest.keys().next().value ?? null;
  }

  #tell(change: Change): void {
    const { json, canvas } = this.#options;
    if (json) return this.#screen.say(JSON.stringify(change));
    const { rollout, phase, percent, reason, atMs } = change;
    const time = new Date(atMs).toTimeString().slice(0, 8);
    this.#screen.say(`${time}  ${rollout}  ${paintPhase(phase, `${percent} %`.padStart(5), canvas())}  ${reason}`);
  }
}

function changeIn(logged: unknown): Change | null {
  if (typeof logged !== 'object' || logged === null || !('change' in logged)) return null;
  const { rollout, phase, name, percent, msg, time }: Record<string, unknown> = { ...logged };
  if (typeof rollout !== 'string' || typeof name !== 'string' || !isPhase(phase)) return null;
  if (typeof percent !== 'number' || typeof msg !== 'string' || typeof time !== 'number') return null;
  return { rollout, phase, name, percent, reason: msg, atMs: time };
}

function isTrouble(logged: unknown): boolean {
  return (
    typeof logged === 'object' &&
    logged !== null &&
    'level' in logged &&
    typeof logged.level === 'number' &&
    logged.level >= warnLevel
  );
}
