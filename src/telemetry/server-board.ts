// How each server of the policy in force is, as the gateway last said, and how often it was put out.
import type { Policy } from '../rollout/policy.ts';
import type { ServerReport, ServerState } from '../rollout/server-report.ts';

/** How a server is, at one address. `address` null: its origin has one, or its name has led to none. */
export type ServerStanding = Pick<ServerReport, 'rollout' | 'version' | 'server' | 'address' | 'state' | 'reason'>;

type Origin = Pick<ServerReport, 'rollout' | 'version' | 'server'>;

/** Nothing that the policy in force does not name is shown, so that what ends late does not stay. */
export class ServerBoard {
  readonly #standings = new Map<string, ServerStanding>();
  readonly #ejections = new Map<string, Origin & { count: number }>();
  /** Names whose last look-up failed though they have addresses. */
  readonly #stale = new Map<string, ServerStanding>();
  #named: ReadonlySet<string> = new Set();

  changed(report: ServerReport): void {
    const key = keyOf(report, report.address);
    if (report.state === 'gone' || report.state === 'resolved') {
      this.#standings.delete(key);
      this.#stale.delete(key);
      return;
    }
    if (report.state === 'stale') {
      this.#standings.delete(key);
      this.#stale.set(key, report);
      return;
    }
    this.#standings.set(key, report);
    if (report.state === 'ejected') this.#countEjection(report);
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
    for (const key of this.#ejections.keys()) if (!this.#named.has(key)) this.#ejections.delete(key);
  }

  /** Every server, each address of it. */
  standings(): ServerStanding[] {
    return [...this.#standings.values()].filter((standing) => this.#named.has(keyOf(standing)));
  }

  /** Names whose addresses may be out of date. */
  stale(): ServerStanding[] {
    return [...this.#stale.values()].filter((standing) => this.#named.has(keyOf(standing)));
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

/** Whether a server takes requests. */
export function isUp(state: ServerState): boolean {
  return state === 'up' || state === 'slow';
}

/** Of an origin, or of one address of it. */
function keyOf({ rollout, version, server }: Origin, address: string | null = null): string {
  return `${rollout}/${version} ${server} ${address ?? ''}`;
}
