// Stores for pilots under test: one in memory, the real one, and around either a disk that fails in the ways disks do.
import { join } from 'node:path';
import type { PilotStore, Remembered, SavedChange } from '../../src/controller/pilot-parts.ts';
import type { Progress } from '../../src/controller/progress.ts';
import { GraygateError } from '../../src/errors.ts';
import type { AuditEntry } from '../../src/rollout/audit-entry.ts';
import type { RolloutState } from '../../src/rollout/rollout-state.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';

/** What a pilot's store can be asked besides, by the next process and by tests. */
export type KeptStore = PilotStore & {
  remembered(rollout: string): Promise<Remembered | null>;
  audit(rollout: string): Promise<readonly AuditEntry[]>;
  close(): Promise<void>;
};

/** Keeps JSON in memory, with the revisions of the real one. */
export function openMemoryStore(): KeptStore {
  const states = new Map<string, { revision: number; savedMs: number; json: string }>();
  const progress = new Map<string, string>();
  const entries: { rollout: string; json: string }[] = [];
  const saved: PilotStore['saved'] = async (rollout) => {
    const found = states.get(rollout);
    return found === undefined ? null : { revision: found.revision, state: JSON.parse(found.json) };
  };
  return {
    isWell: () => true,
    async save({ rollout, revision, atMs, state, entries: added }: SavedChange) {
      const found = states.get(rollout)?.revision ?? 0;
      if (found !== revision) throw new GraygateError('store-conflict', `expected ${revision}, found ${found}`);
      states.set(rollout, { revision: revision + 1, savedMs: atMs, json: JSON.stringify(state) });
      for (const entry of added) entries.push({ rollout, json: JSON.stringify(entry) });
      return revision + 1;
    },
    saved,
    async saveProgress(rollout, document) {
      progress.set(rollout, JSON.stringify(document));
    },
    async remembered(rollout) {
      const found = states.get(rollout);
      if (found === undefined) return null;
      const state: RolloutState = JSON.parse(found.json);
      const kept: Progress | null = JSON.parse(progress.get(rollout) ?? 'null');
      return { revision: found.revision, savedMs: found.savedMs, state, progress: kept };
    },
    audit: async (rollout) => entries.filter((one) => one.rollout === rollout).map(({ json }) => JSON.parse(json)),
    close: async () => undefined,
  };
}

type Sqlite = Store<{ state: RolloutState; entry: AuditEntry; alert: unknown; response: unknown }>;

/** The real one, in a directory. */
export function openSqlitePilotStore(directory: string): KeptStore {
  const store: Sqlite = openSqliteStore({ path: join(directory, 'graygate.db') });
  const find = async (name: string) => (await store.states.loadAll()).find(({ rollout }) => rollout === name);
  return {
    isWell: () => store.status().ok,
    async save({ rollout, revision, atMs, state, entries }) {
      const change = {
        rollout,
        expectedRevision: revision,
        atMs,
        state: pack(state),
        entries: entries.map(pack),
        alerts: [],
      };
      return (await store.states.save(change)).revision;
    },
    async saved(rollout) {
      const found = await find(rollout);
      return found === undefined ? null : { revision: found.revision, state: found.state.value };
    },
    saveProgress: (rollout, progress) => store.values.put(`progress/${rollout}`, pack(progress)),
    async remembered(rollout) {
      const found = await find(rollout);
      if (found === undefined) return null;
      const document: { value: unknown } | null = await store.values.get(`progress/${rollout}`);
      const progress: Progress | null = document === null ? null : JSON.parse(JSON.stringify(document.value));
      return { revision: found.revision, savedMs: found.savedMs, state: found.state.value, progress };
    },
    async audit(rollout) {
      const records = await store.audit.query({ rollout, sinceMs: 0, limit: 1_000 });
      return records.map(({ entry }) => entry.value);
    },
    close: () => store.close(),
  };
}

/**
 * How the disk is. `full`: writes are refused, and the store says so. `lying`: they are refused, and it says that it is well.
 * `hanging`: they wait until `release`. `silent`: they are done, and nobody is told.
 */
export type DiskMode = 'well' | 'full' | 'lying' | 'hanging' | 'silent';

export class FaultyStore implements PilotStore {
  mode: DiskMode = 'well';
  readonly inner: KeptStore;
  saveCount = 0;
  #waiting: (() => void)[] = [];

  constructor(inner: KeptStore) {
    this.inner = inner;
  }

  isWell(): boolean {
    return this.mode !== 'full' && this.inner.isWell();
  }

  async save(change: SavedChange): Promise<number> {
    this.saveCount += 1;
    if (this.mode === 'full' || this.mode === 'lying') throw new GraygateError('store-unavailable', 'the disk is full');
    if (this.mode === 'hanging') await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const revision = await this.inner.save(change);
    if (this.mode === 'silent') throw new GraygateError('store-unavailable', 'the store did not answer');
    return revision;
  }

  async saved(rollout: string): ReturnType<PilotStore['saved']> {
    if (this.mode === 'full' || this.mode === 'silent') throw new GraygateError('store-unavailable', 'no answer');
    return this.inner.saved(rollout);
  }

  async saveProgress(rollout: string, progress: Progress): Promise<void> {
    if (this.mode !== 'well') throw new GraygateError('store-unavailable', 'the disk is full');
    await this.inner.saveProgress(rollout, progress);
  }

  /** The disk answers again, first what waits. */
  release(): void {
    this.mode = 'well';
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function pack<T>(value: T): { format: number; value: T } {
  return { format: 1, value };
}
