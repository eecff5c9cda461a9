// What is wrong with a policy, placed in its file. The only file that makes the line of text.
import type { Path } from './finding.ts';

/** One thing that is wrong, at a place in a file; `line` and `column` count from 1, `column` in UTF-16 units. */
export type Problem = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `rollouts[0].split.canary`; empty for the file as a whole. */
  readonly path: string;
  readonly problem: string;
  readonly hint: string | null;
};

/** One line: `FILE:LINE:COLUMN: PATH: what is wrong; what would be right`. */
export function formatProblem({ file, line, column, path, problem, hint }: Problem): string {
  const subject = path === '' ? '' : `${path}: `;
  return visible(`${file}:${line}:${column}: ${subject}${problem}${hint === null ? '' : `; ${hint}`}`);
}

/** What a file holds must not steer the terminal that it is shown on. */
function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** `rollouts[0].versions.canary`; a key that is not a plain word is quoted: `header["a b"]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, segment) => {
    if (typeof segment === 'number') return `${text}[${segment}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(segment)) return `${text}[${JSON.stringify(segment)}]`;
    return text === '' ? segment : `${text}.${segment}`;
  }, '');
}

/** Reading order, so that an editor can be walked through the file once. */
export function compareProblems(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}
