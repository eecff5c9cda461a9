// Waiting in tests: for something to become true, never for time to pass.
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves with the first truthy value that `look` gives; fails after `withinMs`, saying what it waited for. */
export async function eventually<Value>(
  what: string,
  look: () => Value | Promise<Value>,
  withinMs = 60_000,
): Promise<NonNullable<Value>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await sleep(2);
  }
}

/** A promise and the functions that settle it. */
export type Gate = { readonly opened: Promise<void>; open(): void };

/** A gate that a test opens by hand, to hold something back until then. */
export function createGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: () => resolve() };
}
