// Colours and the width of what a verb writes to: colours only on a terminal whose user has not forbidden them.
import { styleText } from 'node:util';
import type { CommandContext, Output } from './command-context.ts';

export type Style = Parameters<typeof styleText>[0];

/** Where text is shown. `width` is Infinity where nobody counts columns. */
export type Canvas = { readonly width: number; readonly paint: (style: Style, text: string) => string };

/** Whether the output can be drawn over. */
export function isScreen({ isTTY }: Output, { env }: Pick<CommandContext, 'env'>): boolean {
  return isTTY === true && env['TERM'] !== 'dumb';
}

/** The canvas that an output is now; a terminal may have become wider since. Colours obey https://no-color.org. */
export function canvasOf(output: Output, context: Pick<CommandContext, 'env'>): Canvas {
  const isColoured = isScreen(output, context) && !context.env['NO_COLOR'];
  return {
    width: output.isTTY === true ? (output.columns ?? 80) : Infinity,
    paint: (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text),
  };
}
