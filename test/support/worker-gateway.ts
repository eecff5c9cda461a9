// `graygate serve` with several workers, and how a test looks at them.
import { isZombie } from './child-processes.ts';
import { parseSamples } from './metric-samples.ts';
import { serve, type Cleanup, type Serving, temporaryFolder, type Upstream } from './serving.ts';

/** A policy of one rollout with workers; `more` are further top-level keys, `rollout` further keys of the rollout. */
export function workerPolicy(
  { stable, canary }: { readonly stable: Upstream; readonly canary: Upstream },
  { more = '', rollout = '    split: { canary: 50 }\n', workers = 2 } = {},
): string {
  return `version: 1
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
workers: ${workers}
${more}rollouts:
  - name: shop
    versions:
      stable: { servers: ["${stable.url}"] }
      canary: { servers: ["${canary.url}"] }
${rollout}`;
}

/** Starts the gateway in a folder of its own. */
export function serveWorkers(t: Cleanup, policy: string): Promise<Serving> {
  return serve(t, temporaryFolder(t), policy);
}

/** The process IDs of the workers that began to serve, by the worker's number; the last one of each. */
export function workerPids({ log }: Pick<Serving, 'log'>): Map<number, number> {
  const began = log.filter(({ msg }) => msg === 'a worker serves');
  return new Map(began.map(({ worker, workerPid }) => [Number(worker), Number(workerPid)]));
}

/** Whether a process is there and has not ended. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0) && !isZombie(pid);
  } catch {
    return false;
  }
}

/** The sum of a metric's samples with these labels, as a scraper gets it. */
export async function scrapeSum(
  { adminUrl }: Pick<Serving, 'adminUrl'>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return parseSamples(text)
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
