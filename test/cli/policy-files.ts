// Policy files in directories of their own, for verbs that read one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes a policy that is gone after the test; returns the path of the file. */
export function policyFile(t: { after(fn: () => void): void }, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'graygate-policy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'graygate.yaml');
  writeFileSync(file, text);
  return file;
}

/** A policy of one rollout with the candidates blue, green and idle, split as given and watched for errors. */
export function severalCandidates(split: string): string {
  const candidates = ['blue', 'green', 'idle'].map(
    (name, i) => `      ${name}: { servers: http://127.0.0.1:${2 + i} }\n`,
  );
  return `version: 1
listen: 127.0.0.1:0
rollouts:
  - name: shop
    versions:
      stable: { servers: http://127.0.0.1:1 }
${candidates.join('')}    split: ${split}
    analysis: { checks: [{ metric: error-rate }] }
`;
}
