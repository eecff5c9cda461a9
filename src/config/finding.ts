// What a check finds in a policy, before it is known where in the file that is.

/** A key of a mapping or an index of a list. */
export type PathSegment = string | number;

/** From the top of the policy downwards; empty for the policy as a whole. */
export type Path = readonly PathSegment[];

/** What is wrong, and how it is shown. */
export type Finding = {
  readonly path: Path;
  /** Where to point: at the key (what should not be there) or at the value. */
  readonly at: 'key' | 'value';
  /** What is wrong, without a subject: `is not a duration`. */
  readonly problem: string;
  /** What would be right. */
  readonly hint: string | null;
  /** Put the value, as it is written in the file, before `problem`. Never for what may be secret. */
  readonly quotesValue: boolean;
};

/** A key that should not be there, or not alone. */
export function keyFinding(path: Path, problem: string, hint: string | null): Finding {
  return { path, at: 'key', problem, hint, quotesValue: false };
}

/** A value that is wrong, shown with it. */
export function valueFinding(path: Path, problem: string, hint: string | null): Finding {
  return { path, at: 'value', problem, hint, quotesValue: true };
}

/** A value that is wrong and not shown, because it may be secret, or says nothing by itself. */
export function unquotedFinding(path: Path, problem: string, hint: string | null): Finding {
  return { path, at: 'value', problem, hint, quotesValue: false };
}

/** Names in the entries of a list that an entry before has; an entry without a name has undefined. */
export function findRepeatedNames(names: readonly unknown[], list: Path): Finding[] {
  return names.flatMap((name, index) => {
    if (name === undefined || names.indexOf(name) === index) return [];
    return [valueFinding([...list, index, 'name'], 'is a name that is taken', 'names are unique')];
  });
}
