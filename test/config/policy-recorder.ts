// Watches a policy in a folder of its own and records what the watch reports, so that a test can wait for the next report.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadPolicy } from '../../src/config/load-policy.ts';
import { watchPolicy, type PolicyWatch, type WatchOptions } from '../../src/config/watch-policy.ts';
import { shopPolicy, temporaryFolder } from './policy-folder.ts';

type Test = { after(clean: () => Promise<void>): void };

export type Recorder = {
  readonly folder: string;
  readonly file: string;
  readonly watch: PolicyWatch;
  /** What was reported so far: the canary's percent of a policy, or `rejected`. */
  readonly reports: readonly (number | 'rejected')[];
  /** Waits until there are so many reports. */
  readonly reported: (count: number) => Promise<void>;
};

export type RecorderOptions = Partial<WatchOptions> & {
  /** Makes the files in the folder and says where the policy is; default: `p.yaml` with 10 percent. */
  readonly lay?: (folder: string) => Promise<string>;
};

/** A policy whose canary has so many percent. */
export const percentPolicy = (percent: number, more = '') => shopPolicy(`    split: { canary: ${percent} }\n${more}`);

/** Begins to watch; the watch is closed and the folder removed after the test. */
export async function recordPolicy(test: Test, { lay = layOne, ...options }: RecorderOptions = {}): Promise<Recorder> {
  const folder = await temporaryFolder(test);
  const file = await lay(folder);
  const loaded = await loadPolicy(file, {});
  if (!loaded.ok) throw new Error('expected a valid policy to begin with');
  const reports: (number | 'rejected')[] = [];
  let next = Promise.withResolvers<void>();
  const report = (what: number | 'rejected'): void => {
    reports.push(what);
    next.resolve();
    next = Promise.withResolvers<void>();
  };
  const watch = await watchPolicy({
    file,
    env: {},
    loaded,
    onLoaded: (policy) => report(policy.rollouts[0]?.split.canary ?? 0),
    onRejected: () => report('rejected'),
    // Long enough that only what a test is about can make a difference.
    unfinishedMs: 60_000,
    pollMs: 600_000,
    ...options,
  });
  test.after(() => watch.close());
  const reported = async (count: number): Promise<void> => {
    while (reports.length < count) await next.promise;
  };
  return { folder, file, watch, reports, reported };
}

async function layOne(folder: string): Promise<string> {
  const file = join(folder, 'p.yaml');
  await writeFile(file, percentPolicy(10));
  return file;
}
