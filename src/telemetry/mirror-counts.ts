// What became of the copies that mirrors made: counts for the metrics, and the last differences for people.
import { Counter, type Registry } from 'prom-client';
import type { DifferenceKind } from '../rollout/mirror.ts';
import type { MirrorDifference, MirrorRecord } from '../rollout/mirror-record.ts';

/** Pairs of answers that are kept a rollout. */
const mostKept = 100;

type Labels = { readonly rollout: string; readonly version: string; readonly [name: string]: string };
type Count = { readonly labels: Labels; value: number };

export class MirrorCounts {
  readonly #answers = new Map<string, Count>();
  readonly #skipped = new Map<string, Count>();
  readonly #differences = new Map<string, Count>();
  readonly #recent = new Map<string, MirrorDifference[]>();

  constructor(registry: Registry) {
    const add = (name: string, help: string, label: string, counts: ReadonlyMap<string, Count>): void => {
      const labelNames = ['rollout', 'version', label];
      new Counter({
        name,
        help,
        labelNames,
        registers: [registry],
        collect() {
          this.reset();
          for (const { labels, value } of counts.values()) this.inc(labels, value);
        },
      });
    };
    const answersHelp = 'Copies sent to a candidate by the status of its answer, or the kind of its fault.';
    add('graygate_mirror_requests_total', answersHelp, 'code', this.#answers);
    add('graygate_mirror_skipped_total', 'Copies that were not made, by the reason.', 'reason', this.#skipped);
    const differencesHelp = 'Answers to copies that differ from what the user got, by the kind of difference.';
    add('graygate_mirror_diffs_total', differencesHelp, 'kind', this.#differences);
  }

  mirrored({ rollout, version, ...record }: MirrorRecord): void {
    if (record.kind === 'skipped') increment(this.#skipped, { rollout, version, reason: record.reason });
    else increment(this.#answers, { rollout, version, code: String(record.code) });
  }

  /** Counts each kind of difference once, and keeps the pair. */
  differed(difference: MirrorDifference): void {
    const { rollout, version, differences } = difference;
    const kinds = new Set<DifferenceKind>(differences.map(({ kind }) => kind));
    for (const kind of kinds) increment(this.#differences, { rollout, version, kind });
    const kept = this.#recent.get(rollout) ?? [];
    this.#recent.set(rollout, [...kept, difference].slice(-mostKept));
  }

  /** The last pairs of answers that differ, the newest first. */
  recent(rollout: string): readonly MirrorDifference[] {
    return (this.#recent.get(rollout) ?? []).toReversed();
  }

  /** Forgets what the policy in force does not name; `named` has `rollout/version`. */
  keepOnly(rollouts: ReadonlySet<string>, named: ReadonlySet<string>): void {
    for (const rollout of this.#recent.keys()) if (!rollouts.has(rollout)) this.#recent.delete(rollout);
    for (const counts of [this.#answers, this.#skipped, this.#differences]) {
      for (const [key, { labels }] of counts) {
        if (!named.has(`${labels.rollout}/${labels.version}`)) counts.delete(key);
      }
    }
  }
}

function increment(counts: Map<string, Count>, labels: Labels): void {
  const key = Object.values(labels).join('\n');
  const count = counts.get(key);
  if (count === undefined) counts.set(key, { labels, value: 1 });
  else count.value += 1;
}
