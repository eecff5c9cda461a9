// A folder of its own for the policy files of one test, and the few lines that most of them begin with.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPolicy } from '../../src/config/load-policy.ts';
import type { Environment } from '../../src/config/environment.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { Policy } from '../../src/rollout/policy.ts';

type Cleaner = { after(clean: () => Promise<void>): void };

/** A new folder that is removed after the test. */
export async function temporaryFolder(test: Cleaner): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'graygate-config-'));
  test.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A policy with one rollout, `shop`, and `keys` (indented by four) as its last keys. */
export function shopPolicy(keys = '    split: { canary: 10 }\n', top = ''): string {
  return `version: 1
listen: 127.0.0.1:0
${top}rollouts:
  - name: shop
    versions:
      stable: { servers: [http://10.0.0.1:3000] }
      canary: { servers: [http://10.0.0.2:3000] }
${keys}`;
}

/** What comes of a policy file with this content: the policy, or the problems as lines, the folder cut off. */
export async function loadText(test: Cleaner, content: string | Buffer, environment: Environment = {}) {
  const folder = await temporaryFolder(test);
  await writeFile(join(folder, 'p.yaml'), content);
  const result = await loadPolicy(join(folder, 'p.yaml'), environment);
  const lines = result.ok ? [] : result.problems.map(formatProblem).map((line) => line.replaceAll(`${folder}/`, ''));
  return { result, lines };
}

/** The policy in a text that has no problems. */
export async function policyIn(test: Cleaner, content: string, environment: Environment = {}): Promise<Policy> {
  const { result, lines } = await loadText(test, content, environment);
  if (!result.ok) throw new Error(`expected a valid policy, got ${lines.join('\n')}`);
  return result.policy;
}
