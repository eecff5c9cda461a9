// Directories of their own for stores under test, and the way to wait for what a store will say of itself.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite-store.ts';
import type { Store, StoreStatus } from '../../src/store/store.ts';

/** Runs `body` with a new directory that is gone afterwards. */
export async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'graygate-store-'));
  try {
    await body(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs `body` with a store that probes fast, and closes it. */
export async function withStore(options: SqliteStoreOptions, body: (store: Store) => Promise<void>): Promise<void> {
  const store = openSqliteStore({ backOff: { firstMs: 10, maxMs: 100 }, busyTimeoutMs: 50, ...options });
  try {
    await body(store);
  } finally {
    await store.close();
  }
}

/** Resolves with the first status, from now on, that fits. */
export async function statusThat(store: Store, fits: (status: StoreStatus) => boolean): Promise<StoreStatus> {
  const { promise, resolve } = Promise.withResolvers<StoreStatus>();
  const check = (status: StoreStatus): void => {
    if (fits(status)) resolve(status);
  };
  const stop = store.onStatusChange(check);
  check(store.status());
  const status = await promise;
  stop();
  return status;
}

/** Resolves once the part of the experiments is well. */
export async function untilExperimentsAreWell({ experiments }: Pick<Store, 'experiments'>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (experiments.health()?.ok === true) resolve();
  };
  const stop = experiments.onHealthChange(look);
  look();
  await promise;
  stop();
}
