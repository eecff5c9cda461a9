// Composition, fourth part: what of the rollouts the store keeps, and in which documents. Adapters only.
import { type AlertMessage, messagesFor } from './controller/alerts.ts';
import type { PilotStore, Remembered } from './controller/pilot-parts.ts';
import type { Pilot } from './controller/pilot.ts';
import type { Progress } from './controller/progress.ts';
import type { AuditEntry } from './rollout/audit-entry.ts';
import { latenciesOf, totalOf, type Figures } from './rollout/figures.ts';
import type { AlertTarget } from './rollout/policy.ts';
import type { RolloutState } from './rollout/rollout-state.ts';
import { packHistogram } from './stats/log-histogram.ts';
import type { HistorySlice } from './store/history-store.ts';
import type { Store } from './store/store.ts';

export type KeptTypes = { state: RolloutState; entry: AuditEntry; alert: AlertMessage; response: unknown };
export type KeptStore = Store<KeptTypes>;

/** Of the documents that this release writes; a later one raises it and reads both. */
const documentFormat = 1;

/** A rollout's state, its audit entries and the alerts about them, in one transaction. */
export function pilotStoreOf(store: KeptStore, targets: () => readonly AlertTarget[]): PilotStore {
  const { states, values } = store;
  return {
    isWell: () => store.status().ok,
    async save({ rollout, revision, atMs, state, entries }) {
      const alerts = entries.flatMap((entry) => messagesFor(targets(), rollout, entry));
      const saved = await states.save({
        rollout,
        expectedRevision: revision,
        atMs,
        state: pack(state),
        entries: entries.map(pack),
        alerts: alerts.map(({ id, queue, message }) => ({ id, queue, alert: pack(message) })),
      });
      return saved.revision;
    },
    async saved(name) {
      const found = (await states.loadAll()).find(({ rollout }) => rollout === name);
      return found === undefined ? null : { revision: found.revision, state: found.state.value };
    },
    saveProgress: (rollout, progress) => values.put(progressKey(rollout), pack(progress)),
  };
}

/** A second of each version, with what was in force at its end. */
export function slicesOf(pilot: Pilot, figures: readonly Figures[], startMs: number): HistorySlice[] {
  const { rollout } = pilot;
  const { split, measured } = pilot.view();
  return figures.map((each, index) => {
    const { requests, failures } = totalOf(each);
    const { firstIndex, counts } = packHistogram(latenciesOf(each));
    const latencies = Object.fromEntries(
      counts.flatMap((count, i) => (count === 0 ? [] : [[String(firstIndex + i), count]])),
    );
    const { name } = rollout.versions[index]!;
    const harm = (measured?.verdicts ?? []).flatMap(({ check, version, evidence }) =>
      version === name && 'logHarm' in evidence ? [[`harm:${check}`, evidence.logHarm]] : [],
    );
    return {
      rollout: rollout.name,
      version: name,
      startMs,
      sums: { requests, failures, users: each.newUserCount, latencies },
      lasts: { percent: split.percents[index]!, ...Object.fromEntries(harm) },
    };
  });
}

function pack<T>(value: T): { format: number; value: T } {
  return { format: documentFormat, value };
}

function progressKey(rollout: string): string {
  return `progress/${rollout}`;
}

/** What the store knows of every rollout; progress of another release than the state's is of no use. */
export async function recall(store: KeptStore): Promise<Map<string, Remembered>> {
  const states = await store.states.loadAll();
  const recalled = states.map(async ({ rollout, revision, savedMs, state }): Promise<[string, Remembered]> => {
    const document = await store.values.get(progressKey(rollout));
    const progress = document === null ? null : (document.value as Progress);
    const fits = progress !== null && progress.release === state.value.release;
    return [rollout, { revision, savedMs, state: state.value, progress: fits ? progress : null }];
  });
  return new Map(await Promise.all(recalled));
}
