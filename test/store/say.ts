// How a process that is about to be killed says what is safe.
import { writeSync } from 'node:fs';

const clock = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes a line straight to the pipe of stdout: it has left this process even when the next instruction is its last. Waits while
 * the pipe is full, since whoever reads it may be slower than the disk.
 */
export function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(clock, 0, 0, 1);
    }
  }
}
