// The way of a request through the servers: to whom it goes, and to whom next when one fails.
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import type { FallbackReason, FaultKind, RetryReason } from '../rollout/outcome.ts';
import { isAsset } from '../rollout/skew.ts';
import { errorCodeOf } from './faults.ts';
import type { LiveRollout, LiveVersion } from './live-policy.ts';
import type { Absence } from './servers/server-group.ts';
import { Tries } from './servers/tries.ts';
import type { UpstreamServer } from './servers/upstream-server.ts';
import type { Waiter } from './servers/waiting-line.ts';
import { VersionReport } from './version-report.ts';

export abstract class Journey extends VersionReport implements Waiter {
  #liveRollout: LiveRollout | null = null;
  #tries: Tries | null = null;
  #isWaiting = false;
  #hasCrossed = false;

  protected begin(liveRollout: LiveRollout, decision: Decision): void {
    this.#liveRollout = liveRollout;
    this.setting.decided(decision);
    liveRollout.notes?.note(decision, this.facts);
    this.rollout = decision.rollout;
    this.decided = decision.version;
    this.reason = decision.reason;
    this.rule = decision.rule;
    this.bucket = decision.bucket;
    this.user = decision.user;
    if (decision.issueCookie) this.freshUser = decision.user;
    this.#enter(liveRollout.versions[decision.version.index]!);
  }

  /** Sends the request to this server. */
  protected abstract attempt(upstream: UpstreamServer): void;

  /** Answers with a problem. */
  abstract refuse(code: ErrorCode): void;

  /** Has the next server of the version asked, now or when one has room; where there is none the baseline, or nobody. */
  protected seek(): void {
    if (this.#goOn()) return;
    const absence = this.#tries!.absence();
    this.#isWaiting = absence !== 'no-server' && this.live!.group.wait(this);
    if (!this.#isWaiting) this.#goWithout(absence);
  }

  admit(): boolean {
    if (this.#goOn()) return true;
    if (this.#tries!.absence() !== 'no-server') return false;
    this.#goWithout('no-server');
    return true;
  }

  giveUp(): void {
    this.#goWithout(this.#tries!.absence());
  }

  /** Takes down a fault against the version and server that had it. */
  protected fault(kind: FaultKind): void {
    this.faults = [...this.faults, { version: this.live!.version, server: this.server!, kind }];
    this.live!.probe.faulted(this.upstream!.origin, kind);
    this.#tries!.failed();
    this.#tries!.ended();
  }

  /** The head of the version's answer is here. */
  protected noteAnswer(status: number): void {
    this.stopAwaiting();
    this.live!.probe.answered();
    this.#tries!.answered(status);
  }

  /** Whether to ask again: a server of the version, else the baseline for a candidate. To be followed by `seek`. */
  protected redirect(kind: FaultKind, isSent: boolean): boolean {
    if (this.retry(kind, isSent)) return true;
    if (!this.#canFallBack) return false;
    this.#fallBack(kind);
    return true;
  }

  /** Whether an answer with this status is thrown away and the request sent again. To be followed by `seek`. */
  protected rejects(status: number): boolean {
    if (!this.retry(`${status}`, true)) return false;
    this.#tries!.failed();
    this.#tries!.ended();
    return true;
  }

  /** After a 404: whether another version is asked for an asset, which may be in one of them only. To be followed by `seek`. */
  protected crossOver(): boolean {
    if (this.#hasCrossed || !isAsset(this.rollout!, this.facts)) return false;
    this.#hasCrossed = true;
    this.noteAnswer(404);
    const { versions } = this.#liveRollout!;
    this.#moveTo(this.live!.version.index === 0 ? versions[1]! : versions[0]);
    this.reason = 'skew';
    return true;
  }

  get #canFallBack(): boolean {
    return this.live!.version.index !== 0 && this.rollout!.fallback === 'baseline';
  }

  #enter(live: LiveVersion): void {
    this.live = live;
    this.#tries = new Tries(live.group, live.version.serving.retries);
    live.group.budget.entered();
    live.probe.entered();
  }

  protected override leaveVersion(): void {
    const { group, probe } = this.live!;
    if (this.#isWaiting) group.leave(this);
    this.#tries!.close();
    group.budget.left();
    probe.left();
  }

  #moveTo(live: LiveVersion): void {
    this.stopAwaiting();
    this.leaveVersion();
    this.#enter(live);
  }

  #goOn(): boolean {
    const { group } = this.live!;
    const upstream = this.#tries!.next(group.isKeyed ? (this.user ?? this.ip) : '');
    if (upstream === null) return false;
    this.#isWaiting = false;
    this.upstream = upstream;
    this.server = upstream.label;
    this.attempt(upstream);
    return true;
  }

  /** No server can be asked, or none had room for long enough. */
  #goWithout(absence: Absence): void {
    this.#isWaiting = false;
    const reason = absence === 'busy' ? 'busy' : 'no-server';
    if (reason === 'no-server') this.live!.probe.unserved();
    if (this.#canFallBack) {
      this.#fallBack(reason);
      return this.seek();
    }
    const fault = this.faults.at(-1);
    if (fault !== undefined && fault.version === this.live!.version) return this.refuse(errorCodeOf(fault.kind));
    this.refuse(reason === 'busy' ? 'server-busy' : 'no-server');
  }

  /** Whether a server of the version is asked again; then the try that failed is to be taken down, and `seek` called. */
  protected retry(reason: RetryReason, isSent: boolean): boolean {
    if (!this.#tries!.again(reason, { server: this.upstream!, isSent })) return false;
    this.retries = [...this.retries, reason];
    this.live!.probe.retried(reason);
    return true;
  }

  #fallBack(reason: FallbackReason): void {
    this.live!.probe.fellBack(reason);
    this.#moveTo(this.#liveRollout!.versions[0]);
    this.fallback = reason;
    this.reason = 'fallback';
  }
}
