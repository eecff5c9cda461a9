// The servers of all policies that are in use, counted: the last policy to let go of one closes its connections.
import type { Version } from '../../rollout/policy.ts';
import { usualResolveTimes } from './name-watch.ts';
import { createNameResolver } from './resolve-name.ts';
import { ServerSource, type SourceSetting } from './server-source.ts';

export class ServerRegistry {
  readonly #setting: SourceSetting;
  readonly #sources = new Map<string, { source: ServerSource; userCount: number }>();
  #isRunning = false;

  constructor(setting: Partial<SourceSetting> & Pick<SourceSetting, 'reported' | 'tlsFailed'>) {
    this.#setting = { resolver: createNameResolver(), resolveTimes: usualResolveTimes, ...setting };
  }

  /** From now on servers that come are new, and warm up where the policy says so. */
  started(): void {
    this.#isRunning = true;
  }

  /** The server of a version at an origin; followed by one `release` with the same arguments. No two versions share one. */
  acquire(rollout: string, version: Version, origin: string): ServerSource {
    const key = keyOf(rollout, version, origin);
    let entry = this.#sources.get(key);
    if (entry === undefined) {
      const source = new ServerSource(this.#setting, { rollout, version, origin, isNew: this.#isRunning });
      this.#sources.set(key, (entry = { source, userCount: 0 }));
    } else entry.source.follow(version.serving);
    entry.userCount += 1;
    return entry.source;
  }

  /** Resolves once the connections of a server that nobody uses any more are closed. */
  async release(rollout: string, version: Version, origin: string): Promise<void> {
    const key = keyOf(rollout, version, origin);
    const entry = this.#sources.get(key);
    if (entry === undefined) return;
    entry.userCount -= 1;
    if (entry.userCount > 0) return;
    this.#sources.delete(key);
    await entry.source.close();
  }

  /** Cuts every connection, whatever is under way on it. */
  destroy(): void {
    for (const { source } of this.#sources.values()) source.destroy();
    this.#sources.clear();
  }
}

/** What makes two servers the same one. How they are used (weight, health checks, limits) may change while it lives. */
function keyOf(rollout: string, { name, timeouts, http2, tls }: Version, origin: string): string {
  const { connectMs, responseMs, idleMs } = timeouts;
  return JSON.stringify([rollout, name, origin, connectMs, responseMs, idleMs, http2, tls]);
}
