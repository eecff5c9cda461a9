// How each server of the policy in force is, as the gateway last said, and how often it was put out.
import type { Policy } from '../rollout/policy.ts';
import { isUp, type ServerReport, type StandingState } from '../rollout/server-report.ts';

/** How a server is, at one address. `address` null: its origin has one, or its name has led to none. */
export type ServerStanding = Omit<ServerReport, 'state'> & { readonly state: StandingState };

type Origin = Pick<ServerReport, 'rollout' | 'version' | 'server'>;

/** Nothing that the policy in force does not name is shown, so that what ends late does not stay. */
export class ServerBoard {
  readonly #standings = new Map<string, ServerStanding>();
  readonly #ejections = new Map<string, Origin & { count: number }>();
  /** Names whose last look-up failed though they have addresses. */
  readonly #stale = new Map<string, ServerReport>();
  #named: ReadonlySet<string> = new Set();
  #baselines: readonly { readonly rollout: string; readonly version: string }[] = [];

  changed(report: ServerReport): void {
    const key = keyOf(report, report.address);
    const { state } = report;
    const before = this.#standings.get(key)?.state;
    this.#standings.delete(key);
    this.#stale.delete(key);
    if (state === 'gone' || state === 'resolved') return;
    if (state === 'stale') this.#stale.set(key, report);
    else this.#standings.set(key, { ...report, state });
    // One that was out already, by its health checks, is not put out once more.
    if (state === 'ejected' && (before === undefined || isUp(before))) this.#countEjection(report);
  }

  /** Takes note of the policy in force. */
  policyLoaded({ rollouts }: Policy): void {
    this.#named = new Set(
      rollouts.flatMap(({ name, versions }) =>
        versions.flatMap((version) =>
          version.servers.map(({ origin }) => keyOf({ rollout: name, version: version.name, server: origin })),
        ),
      ),
    );
    this.#baselines = rollouts.map(({ name, versions: [{ name: version }] }) => ({ rollout: name, version }));
    for (const key of this.#ejections.keys()) if (!this.#named.has(key)) this.#ejections.delete(key);
  }

  /** Every server, each address of it. */
  standings(): ServerStanding[] {
    return [...this.#standings.values()].filter((standing) => this.#named.has(keyOf(standing)));
  }

  /** How a server of the policy is, at each of its addresses; empty where that is not known. */
  addresses(rollout: string, version: string, server: string): Pick<ServerStanding, 'address' | 'state'>[] {
    return this.standings()
      .filter((each) => each.rollout === rollout && each.version === version && each.server === server)
      .map(({ address, state }) => ({ address, state }));
  }

  /** What works less well than it should, in words: baselines of which no server is up, and names that cannot be looked up. */
  troubles(): string[] {
    const all = this.standings();
    const down = this.#baselines.filter(
      ({ rollout, version }) =>
        !all.some((each) => each.rollout === rollout && each.version === version && isUp(each.state)),
    );
    const stale = [...this.#stale.values()].filter((standing) => this.#named.has(keyOf(standing)));
    return [
      ...down.map(({ rollout, version }) => `${rollout}: no server of the baseline ${version} is up`),
      ...stale.map(
        ({ rollout, version, server, reason }) =>
          `${rollout}: ${server} of ${version} could not be looked up (${reason}); its last addresses stay in use`,
      ),
    ];
  }

  ejections(): (Origin & { count: number })[] {
    return [...this.#ejections.values()];
  }

  #countEjection({ rollout, version, server }: ServerReport): void {
    const key = keyOf({ rollout, version, server });
    const known = this.#ejections.get(key);
    if (known === undefined) this.#ejections.set(key, { rollout, version, server, count: 1 });
    else known.count += 1;
  }
}

/** Of an origin, or of one address of it. */
function keyOf({ rollout, version, server }: Origin, address: string | null = null): string {
  return `${rollout}/${version} ${server} ${address ?? ''}`;
}
