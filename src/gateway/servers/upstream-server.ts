// One upstream address: its connections, how it is, and how many requests are under way on it. The same object for all
// policies that name it with the same settings, so that a reload changes none of this.
import { isDeepStrictEqual } from 'node:util';
import type { EjectionRule, Serving } from '../../rollout/serving.ts';
import type { Connector } from '../upstream/connector.ts';
import type { UpstreamClient } from '../upstream/upstream-client.ts';
import type { Choosable } from './balance.ts';
import { FailureRun } from './failure-run.ts';
import { HealthChecker } from './health-checker.ts';
import { HealthRun } from './health-run.ts';
import type { ServerState } from '../../rollout/server-report.ts';
import { SlowStart } from './slow-start.ts';

export type ServerParts = {
  /** As the policy has it. */
  readonly origin: string;
  /** The address that its name led to; null where the origin has one, or is left to the platform. */
  readonly ip: string | null;
  readonly serving: Serving;
  /** It has to warm up. */
  readonly isNew: boolean;
  /** A client; with `timeoutMs` one that waits no longer than that for anything. */
  connect(timeoutMs?: number): UpstreamClient;
  /** Connections of HTTP/1.1 that are not shared, for what takes one over. */
  tunnels(): Connector;
  /** Its state is another one. */
  reported(state: ServerState, reason: string | null): void;
  /** It takes requests now and did not before, or the other way round, or takes another share. */
  changed(): void;
  /** It had no room for a request, and has it now. */
  freed(): void;
};

export class UpstreamServer implements Choosable {
  readonly origin: string;
  readonly ip: string | null;
  /** Origin, and address where a name led to it. */
  readonly label: string;
  /** Its host and port, for a request that names none. */
  readonly host: string;
  readonly client: UpstreamClient;
  inFlightCount = 0;
  readonly #parts: ServerParts;
  readonly #failures = new FailureRun();
  #health = new HealthRun();
  #checker: HealthChecker | null = null;
  #ejection: NodeJS.Timeout | null = null;
  #maxRequestCount: number;
  #slowStartMs: number;
  readonly #slowStart = new SlowStart();
  #state: ServerState = 'up';
  #tunnels: Connector | null = null;

  constructor(parts: ServerParts) {
    const { origin, ip, serving } = parts;
    this.#parts = parts;
    this.origin = origin;
    this.ip = ip;
    this.label = ip === null ? origin : `${origin} (${ip})`;
    this.host = new URL(origin).host;
    this.client = parts.connect();
    this.#maxRequestCount = serving.limits.maxRequestCount;
    this.#slowStartMs = serving.slowStartMs;
    if (parts.isNew) this.#warmUp();
    this.#state = this.#stateNow();
    this.#report(null);
    this.follow(serving);
  }

  /** Opens connections of HTTP/1.1 for what takes one over. */
  get tunnels(): Connector {
    return (this.#tunnels ??= this.#parts.tunnels());
  }

  get hasRoom(): boolean {
    return this.inFlightCount < this.#maxRequestCount;
  }

  /** Whether it is to be asked at all. */
  get isIn(): boolean {
    return this.#health.isHealthy && this.#ejection === null;
  }

  /** The part of its weight that it has now: 0.1 to 1. */
  get shareRatio(): number {
    return this.#slowStart.ratio;
  }

  /** Takes over changed settings; what is known of the server stays. */
  follow({ health, limits, slowStartMs }: Serving): void {
    this.#maxRequestCount = limits.maxRequestCount;
    this.#slowStartMs = slowStartMs;
    if (isDeepStrictEqual(health, this.#checker?.check ?? null)) return;
    this.#checker?.stop();
    this.#checker = null;
    const wasIn = this.isIn;
    if (health === null) this.#health = new HealthRun();
    else this.#checker = this.#newChecker(health);
    this.#settle(wasIn, null);
  }

  /** A request is under way here; followed by one `left`. */
  entered(): void {
    this.inFlightCount += 1;
  }

  left(): void {
    const hadRoom = this.hasRoom;
    this.inFlightCount -= 1;
    if (!hadRoom) this.#parts.freed();
  }

  succeeded(): void {
    this.#failures.succeeded();
  }

  /** Takes down a failure; true when there were enough of them to eject the server. */
  failed(nowMs: number, rule: EjectionRule): boolean {
    return this.#ejection === null && this.#failures.failed(nowMs, rule);
  }

  /** Leaves it alone for as long as the rule says. */
  eject(nowMs: number, rule: EjectionRule): void {
    const wasIn = this.isIn;
    const forMs = this.#failures.ejected(nowMs, rule);
    this.#ejection = setTimeout(() => this.#return(), forMs);
    this.#ejection.unref();
    this.#settle(wasIn, `${rule.after} failures in a row; left alone for ${forMs} ms`);
  }

  /** Used no more: ends once what is under way has ended. */
  async close(): Promise<void> {
    this.#stop();
    this.#state = 'gone';
    this.#report(null);
    await this.client.close();
  }

  destroy(): void {
    this.#stop();
    this.client.destroy();
  }

  #newChecker(check: NonNullable<Serving['health']>): HealthChecker {
    return new HealthChecker({
      check,
      host: this.host,
      connect: () => this.#parts.connect(check.timeoutMs),
      checked: (isGood, answer) => {
        const wasIn = this.isIn;
        const still = this.#ejection === null ? null : 'health checks are good again, but requests to it failed before';
        if (this.#health.checked(isGood, check)) this.#settle(wasIn, isGood ? still : `health check: ${answer}`);
      },
    });
  }

  #return(): void {
    this.#ejection = null;
    this.#failures.returned(performance.now());
    this.#settle(false, null);
  }

  /** Says what changed, and has a server that comes back start slowly. */
  #settle(wasIn: boolean, reason: string | null): void {
    if (!this.isIn) this.#slowStart.stop();
    else if (!wasIn) this.#warmUp();
    const before = this.#state;
    this.#state = this.#stateNow();
    if (this.#state !== before) this.#report(reason);
    if (this.isIn !== wasIn) this.#parts.changed();
  }

  #stateNow(): ServerState {
    if (!this.#health.isHealthy) return 'down';
    if (this.#ejection !== null) return 'ejected';
    return this.shareRatio < 1 ? 'slow' : 'up';
  }

  #warmUp(): void {
    this.#slowStart.start(this.#slowStartMs, () => {
      if (this.shareRatio === 1) {
        this.#state = 'up';
        this.#report(null);
      }
      this.#parts.changed();
    });
  }

  #report(reason: string | null): void {
    this.#parts.reported(this.#state, reason);
  }

  #stop(): void {
    this.#checker?.stop();
    this.#checker = null;
    if (this.#ejection !== null) clearTimeout(this.#ejection);
    this.#slowStart.stop();
  }
}
