// Puts lines that a worker has logged where this process logs its own, as they are.
import { type Logger, symbols } from 'pino';

/** `lines` are whole and end with a line feed. */
export function writeLines(logger: Logger, lines: string): void {
  const { [symbols.streamSym]: stream } = logger as unknown as { [symbols.streamSym]: { write(text: string): void } };
  stream.write(lines);
}
