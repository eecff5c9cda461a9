// From an issue of the schema library to findings in graygate's words.
import type { z } from 'zod';
import { type Finding, keyFinding, type Path, unquotedFinding, valueFinding } from './finding.ts';
import { suggestName } from '../rollout/nearest-name.ts';
import { isIssueDetails } from './schema-kit.ts';

type Issue = z.core.$ZodIssue;

/** What an issue says about the tree that was checked: usually one finding, one for each key that is unknown. */
export function explainIssue(issue: Issue, tree: unknown): Finding[] {
  return explainBelow(issue, [], tree);
}

function explainBelow(issue: Issue, parents: Path, tree: unknown): Finding[] {
  const path = [...parents, ...issue.path.map((segment) => (typeof segment === 'number' ? segment : String(segment)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const hint = suggestName(key, issue.message.split(' '), 'known here');
        return keyFinding([...path, key], 'unknown key', hint);
      });
    case 'invalid_key':
      return issue.issues.flatMap((inner) => explainBelow(inner, path, tree));
    case 'invalid_union': {
      const branch = branchMeant(issue.errors);
      if (branch !== null) return branch.flatMap((inner) => explainBelow(inner, path, tree));
      // Without branches it is the key that tells the forms apart, and no form has this value.
      if (issue.errors.length === 0 && typeof valueAt(tree, path) === 'string')
        return [valueFinding(path, 'is not known', `expected ${issue.message}`)];
      break;
    }
    case 'custom':
      if (isIssueDetails(issue.params)) {
        const { hint, at, hidesValue } = issue.params;
        return [{ path, at, problem: issue.message, hint, quotesValue: !hidesValue }];
      }
      break;
  }
  return [unquotedFinding(path, wrongForm(valueAt(tree, path)), `expected ${issue.message}`)];
}

/** Of the forms that a value may have, the one it does have; null if it has none of them. */
function branchMeant(branches: readonly (readonly Issue[])[]): readonly Issue[] | null {
  for (const issues of branches) {
    const hasForm = issues.every((issue) => {
      if (issue.path.length > 0) return true;
      if (issue.code === 'invalid_union') return branchMeant(issue.errors) !== null;
      return issue.code !== 'invalid_type';
    });
    if (hasForm) return issues;
  }
  return null;
}

function wrongForm(value: unknown): string {
  if (value === undefined) return 'is missing';
  if (value === null) return 'has no value';
  if (Array.isArray(value)) return value.length === 0 ? 'is an empty list' : 'is a list';
  if (typeof value === 'object') return 'is a mapping';
  return typeof value === 'string' ? 'is text' : `is a ${typeof value === 'number' ? 'number' : 'truth value'}`;
}

function valueAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const segment of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([key]) => key === String(segment))?.[1];
  }
  return value;
}
