// The door: a policy file and the environment in, a frozen Policy or every problem out. Asynchronous reads, nothing else.
import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { Policy } from '../rollout/policy.ts';
import { buildPolicy } from './build-policy.ts';
import { findConflicts } from './cross-checks.ts';
import { replaceEnvironment, type Environment } from './environment.ts';
import { explainIssue } from './explain-issue.ts';
import { loadServerTls } from './server-tls-files.ts';
import { loadTlsFiles } from './tls-files.ts';
import { loadUserLists } from './user-lists.ts';
import { type PackedPolicy, packPolicy } from './policy-parcel.ts';
import { policySchema, type PolicyDocument } from './policy-schema.ts';
import { decodePolicy, readPolicyBytes } from './policy-text.ts';
import type { Finding } from './finding.ts';
import { compareProblems, formatPath, type Problem } from './problem.ts';
import { readFailure, readStable } from './stable-read.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

export type LoadResult = LoadedPolicy | RejectedPolicy;

export type LoadedPolicy = Loading & {
  readonly ok: true;
  readonly policy: Policy;
  readonly source: YamlSource;
  readonly packed: PackedPolicy;
};

export type RejectedPolicy = Loading & { readonly ok: false; readonly problems: readonly Problem[] };

type Loading = {
  /** Absolute paths of every file that the result depends on, the policy file first, whether or not it could be read. */
  readonly files: readonly string[];
  /** Of the content of all these files: the same content, the same fingerprint. */
  readonly fingerprint: string;
};

/** Loads a policy whole or not at all. Never rejects: what cannot be read is a problem too. `file` is shown as it is given. */
export async function loadPolicy(file: string, environment: Environment): Promise<LoadResult> {
  const path = resolve(file);
  let bytes: Buffer;
  try {
    bytes = await readStable(path, readPolicyBytes);
  } catch (error) {
    const problem = `cannot be read: ${readFailure(error)}`;
    return rejected([{ file, line: 1, column: 1, path: '', problem, hint: null }], [path], digestOf(problem));
  }
  const decoded = decodePolicy(file, bytes);
  if (!decoded.ok) return rejected([decoded.problem], [path], digestOf(bytes));
  const source = readYaml(file, decoded.text);
  if (source.tree === undefined) return rejected(source.problems, [path], digestOf(bytes));

  const checked = checkTree(source, environment);
  const users = await loadUserLists(checked.tree, dirname(file));
  const tls = await loadTlsFiles(checked.tree, dirname(file));
  const serverTls = await loadServerTls(checked.tree, dirname(file));
  const files = [...new Set([path, ...users.files, ...tls.files, ...serverTls.files])];
  const fingerprint = digestOf(bytes, ...users.digests, ...tls.digests, ...serverTls.digests);
  const problems = [
    ...source.problems,
    ...[...checked.findings, ...tls.findings, ...serverTls.findings].map((finding) => source.place(finding)),
    ...users.problems(source),
  ];
  if (problems.length > 0 || checked.document === null) return rejected(problems, files, fingerprint);
  const named = { tls: tls.tls, pemTexts: serverTls.texts };
  const policy = buildPolicy(checked.document, { ...named, usersOf: (name) => users.usersOf(name) });
  return { ok: true, policy, source, files, fingerprint, packed: packPolicy(checked.tree, named, users) };
}

type Checked = {
  readonly tree: unknown;
  readonly findings: readonly Finding[];
  readonly document: PolicyDocument | null;
};

function checkTree(source: YamlSource, environment: Environment): Checked {
  const { tree, findings } = replaceEnvironment(source.tree, environment);
  const result = policySchema.safeParse(tree);
  const issues = result.success ? [] : result.error.issues.flatMap((issue) => explainIssue(issue, tree));
  const unset = new Set(findings.map(({ path }) => formatPath(path)));
  // A value that could not be replaced is still "${NAME}", of which nothing more need be said.
  const others = [...issues, ...findConflicts(tree)].filter(({ path }) => !unset.has(formatPath(path)));
  return { tree, findings: [...findings, ...others], document: result.data ?? null };
}

function rejected(problems: readonly Problem[], files: readonly string[], fingerprint: string): RejectedPolicy {
  return { ok: false, problems: problems.toSorted(compareProblems), files, fingerprint };
}

function digestOf(...parts: (Buffer | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}
