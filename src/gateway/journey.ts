// The way of a request through the servers: to whom it goes, and to whom next when one fails.
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import type { FallbackReason, FaultKind, RetryReason } from '../rollout/outcome.ts';
import { isAsset } from '../rollout/skew.ts';
import { errorCodeOf } from './faults.ts';
import type { LiveRollout, LiveVersion } from './live-policy.ts';
import type { RequestRecord } from './request-record.ts';
import type { Absence } from './servers/server-group.ts';
import { Tries } from './servers/tries.ts';
import type { UpstreamServer } from './servers/upstream-server.ts';
import type { Waiter } from './servers/waiting-line.ts';

/** Whose journey it is. */
export interface Traveller {
  readonly record: RequestRecord;
  /** Sends the request to this server. */
  attempt(upstream: UpstreamServer): void;
  /** Answers with a problem. */
  refuse(code: ErrorCode): void;
}

export class Journey implements Waiter {
  readonly #traveller: Traveller;
  readonly #record: RequestRecord;
  readonly #liveRollout: LiveRollout;
  /** The version that it is in. */
  #live: LiveVersion;
  #tries: Tries;
  /** The server asked last. */
  #upstream: UpstreamServer | null = null;
  #isWaiting = false;
  #hasCrossed = false;

  /** Enters the version that was decided; nobody is asked before `seek`. */
  constructor(traveller: Traveller, liveRollout: LiveRollout, decision: Decision) {
    const { record } = traveller;
    this.#traveller = traveller;
    this.#record = record;
    this.#liveRollout = liveRollout;
    record.setting.decided(decision);
    liveRollout.notes?.note(decision, record.facts);
    record.takeDown(decision);
    this.#live = liveRollout.versions[decision.version.index]!;
    this.#tries = this.#enter(this.#live);
  }

  /** Has the next server of the version asked, now or when one has room; where there is none the baseline, or nobody. */
  seek(): void {
    if (this.#goOn()) return;
    const absence = this.#tries.absence();
    this.#isWaiting = absence !== 'no-server' && this.#live.group.wait(this);
    if (!this.#isWaiting) this.#goWithout(absence);
  }

  admit(): boolean {
    if (this.#goOn()) return true;
    if (this.#tries.absence() !== 'no-server') return false;
    this.#goWithout('no-server');
    return true;
  }

  giveUp(): void {
    this.#goWithout(this.#tries.absence());
  }

  /** Takes down a fault against the version and server that had it. */
  fault(kind: FaultKind): void {
    this.#record.faults = [...this.#record.faults, { version: this.#live.version, server: this.#record.server!, kind }];
    this.#live.probe.faulted(this.#upstream!.origin, kind);
    this.#tries.failed();
    this.#tries.ended();
  }

  /** The head of the version's answer is here. */
  noteAnswer(status: number): void {
    this.#record.stopAwaiting();
    this.#live.probe.answered();
    this.#tries.answered(status);
  }

  /** Whether to ask again: a server of the version, else the baseline for a candidate. To be followed by `seek`. */
  redirect(kind: FaultKind, isSent: boolean): boolean {
    if (this.retry(kind, isSent)) return true;
    if (!this.#canFallBack) return false;
    this.#fallBack(kind);
    return true;
  }

  /** Whether an answer with this status is thrown away and the request sent again. To be followed by `seek`. */
  rejects(status: number): boolean {
    if (!this.retry(`${status}`, true)) return false;
    this.#tries.failed();
    this.#tries.ended();
    return true;
  }

  /** After a 404: whether another version is asked for an asset, which may be in one of them only. To be followed by `seek`. */
  crossOver(): boolean {
    if (this.#hasCrossed || !isAsset(this.#record.rollout!, this.#record.facts)) return false;
    this.#hasCrossed = true;
    this.noteAnswer(404);
    const { versions } = this.#liveRollout;
    this.#moveTo(this.#live.version.index === 0 ? versions[1]! : versions[0]);
    this.#record.reason = 'skew';
    return true;
  }

  get #canFallBack(): boolean {
    return this.#live.version.index !== 0 && this.#record.rollout!.fallback === 'baseline';
  }

  #enter(live: LiveVersion): Tries {
    this.#record.live = live;
    live.group.budget.entered();
    live.probe.entered();
    return new Tries(live.group, live.version.serving.retries);
  }

  /** No server of the version is asked any more. */
  leaveVersion(): void {
    const { group, probe } = this.#live;
    if (this.#isWaiting) group.leave(this);
    this.#tries.close();
    group.budget.left();
    probe.left();
  }

  #moveTo(live: LiveVersion): void {
    this.#record.stopAwaiting();
    this.leaveVersion();
    this.#live = live;
    this.#tries = this.#enter(live);
  }

  #goOn(): boolean {
    const { group } = this.#live;
    const upstream = this.#tries.next(group.isKeyed ? (this.#record.user ?? this.#record.ip) : '');
    if (upstream === null) return false;
    this.#isWaiting = false;
    this.#upstream = upstream;
    this.#record.server = upstream.label;
    this.#traveller.attempt(upstream);
    return true;
  }

  /** No server can be asked, or none had room for long enough. */
  #goWithout(absence: Absence): void {
    this.#isWaiting = false;
    const reason = absence === 'busy' ? 'busy' : 'no-server';
    if (reason === 'no-server') this.#live.probe.unserved();
    if (this.#canFallBack) {
      this.#fallBack(reason);
      return this.seek();
    }
    const fault = this.#record.faults.at(-1);
    if (fault !== undefined && fault.version === this.#live.version)
      return this.#traveller.refuse(errorCodeOf(fault.kind));
    this.#traveller.refuse(reason === 'busy' ? 'server-busy' : 'no-server');
  }

  /** Whether a server of the version is asked again; then the try that failed is to be taken down, and `seek` called. */
  retry(reason: RetryReason, isSent: boolean): boolean {
    if (!this.#tries.again(reason, { server: this.#upstream!, isSent })) return false;
    this.#record.retries = [...this.#record.retries, reason];
    this.#live.probe.retried(reason);
    return true;
  }

  #fallBack(reason: FallbackReason): void {
    this.#live.probe.fellBack(reason);
    this.#moveTo(this.#liveRollout.versions[0]);
    this.#record.fallback = reason;
    this.#record.reason = 'fallback';
  }
}
