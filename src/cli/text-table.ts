// Columns for people: as wide as their widest cell, Chinese and its like counted as the two columns that terminals give it.
import { widthOf } from './display-width.ts';

/** Lines of a table; rows of equal length, the first one the heading. Columns whose heading begins with `>` are set to the right. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const heading = rows[0] ?? [];
  const isRight = heading.map((name) => name.startsWith('>'));
  const cells = [heading.map((name) => name.replace(/^>/, '')), ...rows.slice(1)];
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => widthOf(row[column] ?? ''))));
  return cells.map((row) =>
    row
      .map((cell, column) => {
        const blanks = ' '.repeat(widths[column]! - widthOf(cell));
        return isRight[column] ? blanks + cell : cell + blanks;
      })
      .join('   ')
      .trimEnd(),
  );
}
