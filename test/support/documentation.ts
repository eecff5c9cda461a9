// Reads what the documents claim. A reference table is one whose first column is headed `key`, `metric`, `verb`, `code` or
// `endpoint`; the code in its first column is a claim that the thing exists.
import { globSync, readFileSync } from 'node:fs';

export type Document = { readonly path: string; readonly text: string };
export type TableRow = { readonly path: string; readonly names: readonly string[]; readonly cells: readonly string[] };
export type Subject = 'key' | 'metric' | 'verb' | 'code' | 'endpoint';

/** The README and every page below docs/. */
export function readDocuments(): Document[] {
  const paths = [...globSync('README.md'), ...globSync('docs/**/*.md')];
  return paths.map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** The rows of every reference table about the subject; `names` is the code in the first column. */
export function referenceRows(documents: readonly Document[], subject: Subject): TableRow[] {
  return documents.flatMap(({ path, text }) =>
    tablesIn(text)
      .filter(([head]) => head?.[0]?.toLowerCase() === subject)
      .flatMap(([, , ...rows]) => rows.map((cells) => ({ path, cells, names: codeIn(cells[0] ?? '') }))),
  );
}

/** The names of `referenceRows`, sorted. */
export function documented(documents: readonly Document[], subject: Subject): string[] {
  return referenceRows(documents, subject)
    .flatMap(({ names }) => names)
    .toSorted();
}

/** All text that is marked as code: fenced blocks and spans. */
export function codeIn(text: string): string[] {
  const fences = fencedBlocks(text).map(({ body }) => body);
  const spans = withoutFences(text).matchAll(/`([^`\n]+)`/g);
  return [...fences, ...Array.from(spans, (span) => span[1] ?? '')];
}

/** Fenced blocks with their language. */
export function fencedBlocks(text: string): { language: string; body: string }[] {
  const fences = text.matchAll(/^```([\w-]*)[^\n]*\n([\s\S]*?)^```/gm);
  return Array.from(fences, ([, language = '', body = '']) => ({ language, body }));
}

function withoutFences(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '');
}

function tablesIn(text: string): string[][][] {
  const tables = withoutFences(text).matchAll(/^\|[^\n]*\n\|[ :|-]+\|[ ]*\n(?:\|[^\n]*(?:\n|$))*/gm);
  return Array.from(tables, ([table]) => table.trim().split('\n').map(cellsOf));
}

/** Cells of a row; a `\|` is a bar in the text. */
function cellsOf(row: string): string[] {
  return row
    .trim()
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}
