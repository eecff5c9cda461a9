// One of the store's files as the main thread sees it: calls that succeed or reject, health, and probes until it heals.
// A failed call makes the part ill; only a probe that could write makes it well, because reads work on a full disk too.

import { GraygateError } from '../errors.ts';
import type { HealthRecord } from './health-record.ts';
import type { StoreFailure } from './sqlite-failure.ts';
import type { WorkerAnswer, WorkerLink } from './worker-link.ts';
import type { PartName } from './worker-verbs.ts';

/** Time between probes of an ill part: from `firstMs`, doubled each time, to `maxMs`. */
export type BackOff = { readonly firstMs: number; readonly maxMs: number };

type AnyVerbs = Record<string, (input: never) => unknown>;

export type StorePart<Verbs extends AnyVerbs> = {
  /** Settles when the first attempt to open the file is over, well or not. */
  readonly opened: Promise<void>;
  /** Rejects with a `GraygateError` of the store. */
  call<K extends keyof Verbs & string>(verb: K, ...input: Parameters<Verbs[K]>): Promise<ReturnType<Verbs[K]>>;
  /** As `call`, but tells a refusal from a silence. */
  ask<K extends keyof Verbs & string>(verb: K, ...input: Parameters<Verbs[K]>): Promise<WorkerAnswer>;
  stop(): void;
};

export type StorePartOptions = {
  readonly name: PartName;
  readonly link: Pick<WorkerLink, 'start' | 'ask'>;
  readonly health: HealthRecord;
  readonly backOff: BackOff;
  /** Called each time a probe succeeded that followed a failure, and after the first. */
  readonly onHealed?: () => void;
};

/** Starts the thread if need be and opens the file at once. */
export function createStorePart<Verbs extends AnyVerbs>(options: StorePartOptions): StorePart<Verbs> {
  const { name, link, health, backOff } = options;
  let timer: NodeJS.Timeout | null = null;
  let failureCount = 0;
  let isProbing = false;
  let isStopped = false;

  function noteFailure(failure: StoreFailure): void {
    if (isStopped) return;
    const before = health.current();
    health.report(failure.message);
    // Where it was well for a moment only, as on a disk with room for a probe but not for a save, the back-off goes on.
    if (health.current().sinceMs - before.sinceMs > backOff.maxMs) failureCount = 0;
    if (timer !== null || isProbing) return;
    const delayMs = Math.min(backOff.maxMs, backOff.firstMs * 2 ** failureCount);
    failureCount += 1;
    timer = setTimeout(() => void probe(), delayMs).unref();
  }

  async function probe(): Promise<void> {
    timer = null;
    isProbing = true;
    link.start();
    const answer = await link.ask({ part: name, verb: 'probe', input: null });
    isProbing = false;
    if (answer.kind !== 'done') return noteFailure(answer.failure);
    health.report(null);
    options.onHealed?.();
  }

  async function ask(verb: string, input: unknown): Promise<WorkerAnswer> {
    const answer = await link.ask({ part: name, verb, input });
    if (answer.kind !== 'done' && isIllness(answer.failure)) noteFailure(answer.failure);
    return answer;
  }

  return {
    opened: probe(),
    ask: (verb, ...input) => ask(verb, input[0]),
    async call<K extends keyof Verbs & string>(verb: K, ...input: Parameters<Verbs[K]>) {
      const answer = await ask(verb, input[0]);
      if (answer.kind !== 'done') throw new GraygateError(answer.failure.code, answer.failure.message);
      return answer.output as ReturnType<Verbs[K]>;
    },
    stop() {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** A stale writer or a mistake of ours says nothing about the disk. */
function isIllness({ code }: StoreFailure): boolean {
  return code === 'store-unavailable' || code === 'store-corrupt';
}
