// One server as the policy writes it: an address, or a name and the addresses that it leads to, each a server of its own.
import { isIP } from 'node:net';
import type { Version } from '../../rollout/policy.ts';
import type { TlsFailure } from '../../rollout/tls-failure.ts';
import type { Serving } from '../../rollout/serving.ts';
import { createConnector, type ServerAddress } from '../upstream/connector.ts';
import { createUpstreamClient } from '../upstream/create-client.ts';
import type { UpstreamClient } from '../upstream/upstream-client.ts';
import { NameWatch, type ResolveTimes } from './name-watch.ts';
import type { NameResolver } from './resolve-name.ts';
import type { ServerReport, ServerState } from '../../rollout/server-report.ts';
import { UpstreamServer } from './upstream-server.ts';

/** Told of what concerns the servers of a source. */
export interface SourceWatcher {
  /** Other servers, or the same ones with other states or shares. */
  changed(): void;
  /** One that was full has room. */
  freed(): void;
}

/** What all sources of a gateway share. */
export type SourceSetting = {
  readonly resolver: NameResolver;
  readonly resolveTimes: ResolveTimes;
  reported(report: ServerReport): void;
  tlsFailed(failure: TlsFailure): void;
};

export type SourceInput = {
  readonly rollout: string;
  readonly version: Version;
  readonly origin: string;
  /** Its servers have to warm up. */
  readonly isNew: boolean;
};

export class ServerSource {
  readonly origin: string;
  readonly watchers = new Set<SourceWatcher>();
  readonly #input: SourceInput;
  readonly #setting: SourceSetting;
  readonly #names: NameWatch | null;
  #serving: Serving;
  #servers: readonly UpstreamServer[] = [];
  /** The first addresses of a name that was there from the beginning are not new; those that come later are. */
  #isNew: boolean;

  constructor(setting: SourceSetting, input: SourceInput) {
    const { origin, version, isNew } = input;
    this.origin = origin;
    this.#input = input;
    this.#setting = setting;
    this.#serving = version.serving;
    this.#isNew = isNew;
    const { hostname } = new URL(origin);
    this.#names = isNameToResolve(hostname)
      ? new NameWatch(hostname, {
          resolver: setting.resolver,
          times: setting.resolveTimes,
          changed: () => this.#takeAddresses(),
        })
      : null;
    if (this.#names === null) this.#servers = [this.#open(null)];
  }

  /** One for each address; none while a name has led to none. */
  get servers(): readonly UpstreamServer[] {
    return this.#servers;
  }

  /** The name has not been answered for yet. */
  get isPending(): boolean {
    return this.#names !== null && this.#names.isPending;
  }

  /** Takes over changed settings. */
  follow(serving: Serving): void {
    this.#serving = serving;
    for (const server of this.#servers) server.follow(serving);
  }

  /** Resolves once what is under way has ended. */
  async close(): Promise<void> {
    if (this.#names !== null) {
      this.#names.close();
      this.#report('gone', { address: null, reason: null });
    }
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  destroy(): void {
    this.#names?.close();
    for (const server of this.#servers) server.destroy();
  }

  #takeAddresses(): void {
    const { addresses, failure } = this.#names!;
    const kept = new Map(this.#servers.map((server) => [server.ip, server]));
    this.#servers = addresses.map((ip) => kept.get(ip) ?? this.#open(ip));
    if (addresses.length > 0) this.#isNew = true;
    const state = failure === null ? 'resolved' : addresses.length === 0 ? 'unresolved' : 'stale';
    this.#report(state, { address: null, reason: failure });
    this.#tell((watcher) => watcher.changed());
    for (const [ip, server] of kept) {
      // Ends once what is under way there has ended; nobody waits for that.
      if (!addresses.includes(ip!)) server.close().catch(() => undefined);
    }
  }

  #open(ip: string | null): UpstreamServer {
    return new UpstreamServer({
      origin: this.origin,
      ip,
      serving: this.#serving,
      isNew: this.#isNew,
      connect: (timeoutMs) => this.#connect(ip, timeoutMs),
      tunnels: () => createConnector(this.#addressOf(ip), 'http/1.1'),
      reported: (state, reason) => this.#report(state, { address: ip, reason }),
      changed: () => this.#tell((watcher) => watcher.changed()),
      freed: () => this.#tell((watcher) => watcher.freed()),
    });
  }

  #connect(ip: string | null, timeoutMs: number | undefined): UpstreamClient {
    const { timeouts, http2 } = this.#input.version;
    const patience =
      timeoutMs === undefined ? timeouts : { connectMs: timeoutMs, responseMs: timeoutMs, idleMs: timeoutMs };
    return createUpstreamClient({ ...this.#addressOf(ip), http2, timeouts: patience });
  }

  #addressOf(ip: string | null): ServerAddress {
    const { rollout, version } = this.#input;
    const report = (problem: string): void =>
      this.#setting.tlsFailed({ rollout, version: version.name, server: this.origin, address: ip, problem });
    return { origin: this.origin, ip, tls: version.tls, report };
  }

  #report(state: ServerState, { address, reason }: { address: string | null; reason: string | null }): void {
    const { rollout, version, origin } = this.#input;
    this.#setting.reported({ rollout, version: version.name, server: origin, address, state, reason });
  }

  #tell(say: (watcher: SourceWatcher) => void): void {
    for (const watcher of this.watchers) say(watcher);
  }
}

/** `localhost` is left to the platform, which tries both families of it; servers listen on either. */
function isNameToResolve(hostname: string): boolean {
  return isIP(hostname.replace(/^\[(.*)\]$/, '$1')) === 0 && !/(^|\.)localhost\.?$/.test(hostname);
}
