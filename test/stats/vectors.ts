// Reads the worked numbers of test/vectors and compares with the tolerance that each file states.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export type VectorCase<Input, Expected> = {
  readonly name: string;
  readonly fn?: string;
  readonly input: Input;
  readonly expected: Expected;
};

export type Tolerance = { readonly abs: number; readonly rel: number };

export type VectorFile<Input, Expected> = {
  readonly cases: readonly VectorCase<Input, Expected>[];
  readonly tolerance: Tolerance;
};

/** A number of a vector file; infinity is written as a string there. */
export type VectorNumber = number | 'Infinity';

/** Reads a file and fails when it holds fewer cases than it declares: a test that reads nothing must not pass. */
export function readVectors<Input, Expected>(name: string): VectorFile<Input, Expected> {
  const text = readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8');
  const file: VectorFile<Input, Expected> & { readonly caseCount: number } = JSON.parse(text);
  assert.ok(file.cases.length > 0, `${name} has cases`);
  assert.equal(file.cases.length, file.caseCount, `${name} is whole`);
  return file;
}

/** Fails unless the number is within `abs + rel * |expected|`. */
export function assertClose(got: number, expected: VectorNumber, tolerance: Tolerance, what = 'value'): void {
  const wanted = Number(expected);
  if (got === wanted) return;
  const allowed = tolerance.abs + tolerance.rel * Math.abs(wanted);
  assert.ok(
    Math.abs(got - wanted) <= allowed,
    `${what}: expected ${wanted}, got ${got}, off by ${got - wanted}, allowed ${allowed}`,
  );
}

/** A value as the store gives it back. */
export function throughJson<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value));
}
