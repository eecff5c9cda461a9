// The servers of one version in one policy: who is in, whose turn it is, who may be put out, who waits.
import type { Version } from '../../rollout/policy.ts';
import type { Balance } from '../../rollout/serving.ts';
import { type Balancer, isOpen } from './balance.ts';
import { mayEject } from './failure-run.ts';
import { LeastRequests } from './least-requests.ts';
import { RetryBudget } from './retry-budget.ts';
import { RoundRobin } from './round-robin.ts';
import type { ServerRegistry } from './server-registry.ts';
import type { ServerSource, SourceWatcher } from './server-source.ts';
import type { UpstreamServer } from './upstream-server.ts';
import { UserHash } from './user-hash.ts';
import { type Waiter, WaitingLine } from './waiting-line.ts';

/** Why there is no server for a request. `busy`: those there are have no room; `unknown`: a name is still looked up; else nobody is in. */
export type Absence = 'busy' | 'unknown' | 'no-server';

/** Answers that say that the server, not what it serves, is unwell: so says a proxy of what is behind it, and a server that is overloaded. */
const failingStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

export type GroupInput = {
  readonly registry: ServerRegistry;
  readonly rollout: string;
  readonly version: Version;
  /** Nobody answers in its place: where all are out they are asked all the same. */
  readonly isLastResort: boolean;
};

type Member = { readonly source: ServerSource; readonly weight: number };

export class ServerGroup implements SourceWatcher {
  readonly budget: RetryBudget;
  /** Whether it matters to `next` who asks. */
  readonly isKeyed: boolean;
  readonly #input: GroupInput;
  readonly #members: readonly Member[];
  readonly #balancer: Balancer<UpstreamServer>;
  readonly #line = new WaitingLine();
  /** All of them, in or out. */
  #servers: readonly UpstreamServer[] = [];
  /** Those that may be asked. */
  #asked: readonly UpstreamServer[] = [];
  /** The only one that may be asked; null where there is a choice, or none. */
  #only: UpstreamServer | null = null;

  constructor(input: GroupInput) {
    const { registry, rollout, version } = input;
    this.#input = input;
    this.budget = new RetryBudget(version.serving.retries.budgetPercent);
    this.isKeyed = version.serving.balance === 'hash';
    this.#balancer = balancerOf(version.serving.balance);
    this.#members = version.servers.map(({ origin, weight }) => ({
      source: registry.acquire(rollout, version, origin),
      weight,
    }));
    for (const { source } of this.#members) source.watchers.add(this);
    this.#prepare();
  }

  /** Whose turn it is among those with room that are not in `tried`; null where there is none. `key`: as in `Balancer.pick`. */
  next(tried: readonly UpstreamServer[], key: string): UpstreamServer | null {
    if (this.#only !== null) return isOpen(this.#only, tried) ? this.#only : null;
    return this.#balancer.pick(tried, key);
  }

  /** Whether there is anyone to ask who is not in `tried`, with room or not. */
  hasOther(tried: readonly UpstreamServer[]): boolean {
    return this.#asked.some((server) => !tried.includes(server));
  }

  /** Why `next` found nobody. */
  absence(tried: readonly UpstreamServer[]): Absence {
    if (this.hasOther(tried)) return 'busy';
    return this.#members.some(({ source }) => source.isPending) ? 'unknown' : 'no-server';
  }

  /** Lets a request wait its turn; false: too many wait. */
  wait(waiter: Waiter): boolean {
    const { serving, timeouts } = this.#input.version;
    const most = serving.limits.maxPendingCount * Math.max(1, this.#asked.length);
    if (this.#line.length >= most) return false;
    this.#line.join(waiter, timeouts.connectMs);
    return true;
  }

  leave(waiter: Waiter): void {
    this.#line.leave(waiter);
  }

  /** The head of a server's answer is here. */
  answered(server: UpstreamServer, status: number): void {
    if (failingStatuses.has(status)) this.failed(server);
    else server.succeeded();
  }

  /** A server failed; puts it out where it has failed often enough and the others are in. */
  failed(server: UpstreamServer): void {
    const { eject } = this.#input.version.serving;
    const nowMs = performance.now();
    if (!server.failed(nowMs, eject)) return;
    const outCount = this.#servers.filter((other) => other !== server && !other.isIn).length;
    if (mayEject({ outCount, totalCount: this.#servers.length }, eject)) server.eject(nowMs, eject);
  }

  changed(): void {
    this.#prepare();
    this.freed();
  }

  freed(): void {
    if (this.#line.length > 0) this.#line.advance(() => this.#endsWaiting());
  }

  /** Lets go of the servers; their connections close when no other policy holds them. */
  async release(): Promise<void> {
    const { registry, rollout, version } = this.#input;
    await Promise.all(
      this.#members.map(({ source }) => {
        source.watchers.delete(this);
        return registry.release(rollout, version, source.origin);
      }),
    );
  }

  /** There is room, or nothing left to wait for. */
  #endsWaiting(): boolean {
    return this.#asked.length === 0 || this.#asked.some(({ hasRoom }) => hasRoom);
  }

  #prepare(): void {
    const all = this.#members.flatMap(({ source, weight }) =>
      source.servers.map((server) => ({ server, weight: weight / source.servers.length })),
    );
    const inside = all.filter(({ server }) => server.isIn);
    const asked = inside.length === 0 && this.#input.isLastResort ? all : inside;
    this.#servers = all.map(({ server }) => server);
    this.#asked = asked.map(({ server }) => server);
    this.#only = this.#asked.length === 1 ? this.#asked[0]! : null;
    this.#balancer.prepare(asked.map(({ server, weight }) => ({ server, weight: weight * server.shareRatio })));
  }
}

function balancerOf(balance: Balance): Balancer<UpstreamServer> {
  if (balance === 'hash') return new UserHash();
  return balance === 'least-requests' ? new LeastRequests() : new RoundRobin();
}
