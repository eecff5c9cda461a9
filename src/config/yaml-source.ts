// YAML text as a plain tree that remembers where each value stands. The only file that knows the yaml library.
import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
} from 'yaml';
import { describeYamlError } from './yaml-errors.ts';
import type { Finding, PathSegment } from './finding.ts';
import { formatPath, type Problem } from './problem.ts';

export type YamlSource = {
  /** Mappings as objects, lists as arrays; `undefined` where the text is too broken to be read. */
  readonly tree: unknown;
  /** Syntax errors, keys that are there twice, aliases without an anchor. */
  readonly problems: readonly Problem[];
  /** Puts a finding at its line and column; a path that leads out of the document ends where the document does. */
  place(finding: Finding): Problem;
};

/** An anchor may be used this often, each use counted with what it holds; more is a bomb. */
const maxAliasCount = 100;

/** More than anybody writes; each costs the parser longer the more there are, while traffic waits. */
const maxAliasesInText = 1_000;

/** Reads one YAML 1.2 document. Duplicate keys, several documents, unknown tags and alias bombs are problems; nothing is thrown. */
export function readYaml(file: string, text: string): YamlSource {
  if (hasTooManyAliases(text)) {
    const problem = 'more aliases than are looked at';
    const problems = [{ file, line: 1, column: 1, path: '', problem, hint: 'write the values out' }];
    return {
      tree: undefined,
      problems,
      place: ({ path, hint }) => ({ ...problems[0]!, path: formatPath(path), hint }),
    };
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true, version: '1.2' });
  const at = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = [...syntaxProblems(document, at), ...aliasProblems(document, at)];
  const isReadable = document.errors.every(({ code }) => code === 'DUPLICATE_KEY');
  let tree: unknown;
  if (isReadable && problems.every(({ problem }) => !problem.startsWith('no anchor'))) {
    try {
      tree = document.toJS({ maxAliasCount });
    } catch {
      problems.push({ ...at(0), path: '', problem: 'aliases are used too often', hint: 'write the values out' });
    }
  }
  return { tree, problems, place: (finding) => place(document, finding, at) };
}

/** Before the parser sees them: it takes longer for each alias the more there are. */
function hasTooManyAliases(text: string): boolean {
  let count = 0;
  for (const _ of text.matchAll(/(?:^|[\s,[{])\*\w/gm)) {
    count += 1;
    if (count > maxAliasesInText) return true;
  }
  return false;
}

type At = (offset: number) => { file: string; line: number; column: number };

function syntaxProblems(document: Document, at: At): Problem[] {
  const found = [...document.errors, ...document.warnings].map(({ code, pos: [offset] }) => {
    const path = code === 'DUPLICATE_KEY' ? formatPath(pathOfKeyAt(document, offset)) : '';
    return Object.assign(at(offset), { path }, describeYamlError(code));
  });
  // One slip often breaks the rest of a line, and nesting that is too deep every level of it.
  const isFirst = (problem: Problem, index: number) =>
    found.findIndex(({ line, path }) => line === problem.line && path === problem.path) === index;
  return found.filter(isFirst);
}

function aliasProblems(document: Document, at: At): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      const problem = `no anchor &${alias.source} comes before this alias`;
      problems.push({ ...at(alias.range?.[0] ?? 0), path: '', problem, hint: 'quote text that begins with *' });
      return undefined;
    },
  });
  return problems;
}

function pathOfKeyAt(document: Document, offset: number): PathSegment[] {
  let path: PathSegment[] = [];
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key !== 'key' || node.range?.[0] !== offset) return;
      path = [...ancestors, node].flatMap((ancestor, index, all) => segmentBelow(ancestor, all[index + 1]));
    },
  });
  return path;
}

function segmentBelow(ancestor: unknown, child: unknown): PathSegment[] {
  if (isSeq(ancestor)) return [ancestor.items.indexOf(child)];
  return isPair(ancestor) && isScalar<string>(ancestor.key) ? [ancestor.key.value] : [];
}

function place(document: Document, finding: Finding, at: At): Problem {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  const reached: PathSegment[] = [];
  for (const [index, segment] of finding.path.entries()) {
    const parent = isAlias(node) ? node.resolve(document) : node;
    if (!isCollection(parent)) break;
    const isLast = index === finding.path.length - 1;
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === segment) : undefined;
    node = isMap(parent) ? pair?.value : parent.get(segment, true);
    const pointsAtKey = pair !== undefined && isLast && finding.at === 'key';
    const start = pointsAtKey ? startOf(pair.key) : (startOf(node) ?? startOf(pair?.key));
    reached.push(segment);
    if (start === undefined) break;
    offset = start;
  }
  const quoted = finding.quotesValue ? quote(node) : '';
  const path = reached.length === 0 ? finding.path : [...reached, ...finding.path.slice(reached.length)];
  return { ...at(offset), path: formatPath(path), problem: `${quoted}${finding.problem}`, hint: finding.hint };
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** A scalar as it is written in the file, before variables are replaced; what may be a secret in it is left out. */
function quote(node: unknown): string {
  if (!isScalar(node) || node.value === null) return '';
  if (typeof node.value !== 'string') return `${node.source ?? 'it'} `;
  const shown = node.value.replaceAll(/:-[^}]*\}/g, ':-…}').replaceAll(/\/\/[^/\s]*@/g, '//…@');
  return `${JSON.stringify(shown.length > 60 ? `${shown.slice(0, 60)}…` : shown)} `;
}
