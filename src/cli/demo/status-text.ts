// The demo's figures in words: how the generated requests were shared out, and which share of them failed.
import { noVersion } from './traffic.ts';
import type { VersionTally } from './traffic-tally.ts';

/** Adds up tallies of several stretches, by version name in alphabetic order. */
export function addTallies(stretches: readonly (readonly VersionTally[])[]): readonly VersionTally[] {
  const sums = new Map<string, VersionTally>();
  for (const { version, requestCount, failureCount } of stretches.flat()) {
    const sum = sums.get(version);
    sums.set(version, {
      version,
      requestCount: requestCount + (sum?.requestCount ?? 0),
      failureCount: failureCount + (sum?.failureCount ?? 0),
    });
  }
  return [...sums.values()].toSorted((a, b) => (a.version < b.version ? -1 : 1));
}

/** `200 requests: canary 20.5 % (0.0 % failed), stable 79.5 % (0.0 % failed)`. */
export function statusText(tallies: readonly VersionTally[]): string {
  const totalCount = tallies.reduce((sum, { requestCount }) => sum + requestCount, 0);
  if (totalCount === 0) return 'no generated requests yet';
  const shares = tallies.map(({ version, requestCount, failureCount }) => {
    if (version === noVersion) return `${requestCount} without an answer from a version`;
    return `${version} ${percent(requestCount, totalCount)} (${percent(failureCount, requestCount)} failed)`;
  });
  return `${totalCount} requests: ${shares.join(', ')}`;
}

function percent(part: number, whole: number): string {
  return `${((part / whole) * 100).toFixed(1)} %`;
}
