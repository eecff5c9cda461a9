// Columns for people: as wide as their widest cell, Chinese and its like counted as the two columns that terminals give it.

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;

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

function widthOf(text: string): number {
  return Array.from(text).reduce((sum, char) => sum + (wide.test(char) ? 2 : 1), 0);
}
