// The servers of a version: whose turn it is, and the kept-alive connections to each. Servers that two policies share
// are the same object, so that a reload keeps their connections.
import type { Server, Version } from '../rollout/policy.ts';
import { createUpstreamClient } from './upstream/create-client.ts';
import type { UpstreamClient } from './upstream/upstream-client.ts';

/** Response headers larger than this are a protocol fault of the server. */
export const maxResponseHeaderByteCount = 65_536;

/** How the servers of a version are reached. */
type Reach = Pick<Version, 'timeouts' | 'http2' | 'tls'>;

/** One upstream address and its connections. */
export class UpstreamServer {
  readonly origin: string;
  /** Its host and port, for a request that names none. */
  readonly host: string;
  readonly client: UpstreamClient;

  constructor(origin: string, { timeouts, http2, tls }: Reach) {
    this.origin = origin;
    this.host = new URL(origin).host;
    this.client = createUpstreamClient({ origin, timeouts, http2, tls });
  }
}

/** Servers by address and settings, counted by the policies that use them; the last one to let go closes the connections. */
export class ServerRegistry {
  readonly #servers = new Map<string, { server: UpstreamServer; userCount: number }>();

  acquire(origin: string, reach: Reach, scope: string): UpstreamServer {
    const key = this.#key(origin, reach, scope);
    let entry = this.#servers.get(key);
    if (entry === undefined) {
      entry = { server: new UpstreamServer(origin, reach), userCount: 0 };
      this.#servers.set(key, entry);
    }
    entry.userCount += 1;
    return entry.server;
  }

  /** Resolves once the connections of a server that nobody uses any more are closed. */
  async release(origin: string, reach: Reach, scope: string): Promise<void> {
    const key = this.#key(origin, reach, scope);
    const entry = this.#servers.get(key);
    if (entry === undefined) return;
    entry.userCount -= 1;
    if (entry.userCount > 0) return;
    this.#servers.delete(key);
    await entry.server.client.close();
  }

  /** Cuts every connection, whatever is under way on it. */
  async destroy(): Promise<void> {
    for (const { server } of this.#servers.values()) server.client.destroy();
    this.#servers.clear();
  }

  #key(origin: string, { timeouts, http2, tls }: Reach, scope: string): string {
    return JSON.stringify([scope, origin, timeouts, http2, tls]);
  }
}

/** The turn-taking of one version's servers. `scope` is `rollout/version`: no two versions share connections. */
export class ServerRing {
  readonly #registry: ServerRegistry;
  readonly #scope: string;
  readonly #reach: Reach;
  readonly #turns: { server: UpstreamServer; weight: number; credit: number }[];
  readonly #totalWeight: number;

  constructor(registry: ServerRegistry, version: Version, scope: string) {
    this.#registry = registry;
    this.#scope = scope;
    this.#reach = version;
    this.#turns = version.servers.map((server: Server) => ({
      server: registry.acquire(server.origin, version, scope),
      weight: server.weight,
      credit: 0,
    }));
    this.#totalWeight = version.servers.reduce((sum, server) => sum + server.weight, 0);
  }

  /**
   * The server whose turn it is, by smooth weighted round-robin (nginx: weights 5, 1, 1 give a a b a c a a, not a a a a a b c);
   * null when all are in `tried`. Who steps in for a server that was tried keeps its own turn. Cost: linear in the version's servers.
   */
  next(tried: readonly UpstreamServer[]): UpstreamServer | null {
    const turns = this.#turns;
    if (turns.length === 1) return tried.includes(turns[0]!.server) ? null : turns[0]!.server;
    const stepsIn = tried.length > 0;
    let best: (typeof turns)[number] | null = null;
    for (const turn of turns) {
      if (!stepsIn) turn.credit += turn.weight;
      else if (tried.includes(turn.server)) continue;
      if (best === null || turn.credit > best.credit) best = turn;
    }
    if (best !== null && !stepsIn) best.credit -= this.#totalWeight;
    return best === null ? null : best.server;
  }

  /** Lets go of the servers; their connections close when no other policy holds them. */
  async release(): Promise<void> {
    await Promise.all(this.#turns.map((turn) => this.#registry.release(turn.server.origin, this.#reach, this.#scope)));
  }
}
