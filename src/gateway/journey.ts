// What every request leaves behind, however it travels: the fields of its outcome, filled in as things happen, and the
// probes of the versions it meets. Reports exactly once.
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import type { Ending, Fault, FaultKind, Outcome } from '../rollout/outcome.ts';
import type { ByteString, Rollout, Version } from '../rollout/policy.ts';
import type { RequestFacts } from './facts.ts';
import type { LivePolicy, LiveRollout, LiveVersion } from './live-policy.ts';
import { renderProblem, type RenderedProblem } from './problem.ts';
import { forwardedHeaders } from './request-headers.ts';
import type { UpstreamServer } from './servers.ts';

/** Sent as the status where the client left before there was one (nginx's convention). */
const clientLeftStatus = 499;
/** A reset may hit a kept-alive connection that the server was just closing; more than this is no accident. */
const maxResetRetryCount = 2;
const noFaults: readonly Fault[] = [];
const noRetries: readonly FaultKind[] = [];

/** What all requests of a gateway share. */
export type JourneySetting = {
  /** True while the gateway drains: answers close their connections. */
  isDraining(): boolean;
  /** A decision, at the moment it is made. */
  decided(decision: Decision): void;
  finished(outcome: Outcome): void;
};

export type JourneyStart = {
  readonly live: LivePolicy;
  readonly facts: RequestFacts;
  readonly requestId: string;
  readonly target: string;
};

export abstract class Journey implements Outcome {
  rollout: Rollout | null = null;
  decided: Version | null = null;
  reason: Outcome['reason'] = null;
  rule: string | null = null;
  bucket: number | null = null;
  user: ByteString | null = null;
  server: string | null = null;
  status = clientLeftStatus;
  ending: Ending = 'client-left';
  durationMs = 0;
  requestByteCount = 0;
  responseByteCount = 0;
  faults: readonly Fault[] = noFaults;
  retries: readonly FaultKind[] = noRetries;
  fallback: FaultKind | null = null;
  readonly requestId: string;
  readonly target: string;
  protected readonly setting: JourneySetting;
  protected readonly facts: RequestFacts;
  protected readonly livePolicy: LivePolicy;
  /** The version that is to answer; null until the decision. */
  protected live: LiveVersion | null = null;
  /** The user ID to issue as a cookie; null for none. */
  protected freshUser: ByteString | null = null;
  /** The server asked last. */
  protected upstream: UpstreamServer | null = null;
  #liveRollout: LiveRollout | null = null;
  #tried: UpstreamServer[] = [];
  readonly #beganMs = performance.now();
  #ended = false;
  #isAwaited = false;

  constructor(setting: JourneySetting, start: JourneyStart) {
    this.setting = setting;
    this.livePolicy = start.live;
    this.facts = start.facts;
    this.requestId = start.requestId;
    this.target = start.target;
    start.live.hold();
  }

  get version(): Version | null {
    return this.live === null ? null : this.live.version;
  }

  get method(): string {
    return this.facts.method;
  }

  get ip(): string {
    return this.facts.ip;
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** The path and query that the server is asked for: the client's. */
  protected get path(): string {
    return this.facts.target.path + this.facts.target.query;
  }

  protected headersFor(upstream: UpstreamServer, rawHeaders: readonly string[]): string[] {
    const { facts, requestId } = this;
    const { decisionHeaders } = this.live!;
    return forwardedHeaders(rawHeaders, { facts, requestId, decisionHeaders, upstreamHost: upstream.host });
  }

  /** An answer of graygate's own to this request. */
  protected problemOf(code: ErrorCode, detail: string | undefined): RenderedProblem {
    const problem = renderProblem({ code, detail, requestId: this.requestId });
    if (this.live !== null) problem.headers.push(...this.live.exposedHeaders);
    return problem;
  }

  protected elapsedMs(): number {
    return performance.now() - this.#beganMs;
  }

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
    this.live = liveRollout.versions[decision.version.index]!;
    this.live.probe.entered();
  }

  /** The client has sent all that an answer needs; until then its slowness would be taken for the version's. */
  protected awaitAnswer(): void {
    if (this.#isAwaited || this.#ended) return;
    this.#isAwaited = true;
    this.live!.probe.awaited();
  }

  /** The next server of the version; null when none is left to ask. */
  protected nextServer(): UpstreamServer | null {
    this.upstream = this.live!.ring.next(this.#tried);
    if (this.upstream !== null) this.server = this.upstream.origin;
    return this.upstream;
  }

  /** Takes down a fault against the version and server that had it. */
  protected fault(kind: FaultKind): void {
    this.faults = [...this.faults, { version: this.live!.version, server: this.server!, kind }];
    this.live!.probe.faulted(this.server!, kind);
  }

  /** The head of the version's answer is here. */
  protected noteAnswer(): void {
    this.#stopWaiting();
    this.live!.probe.answered();
  }

  /** Whether to ask again: another server of the version, or after a reset the same one; else the baseline for a candidate. */
  protected redirect(kind: FaultKind): boolean {
    if (this.#canRetry(kind)) {
      this.retries = [...this.retries, kind];
      this.live!.probe.retried(kind);
      return true;
    }
    if (this.live!.version.index === 0 || this.rollout!.fallback !== 'baseline') return false;
    this.#fallBack(kind);
    return true;
  }

  /** The head of the issued cookie's header; null where none is issued. */
  protected issuedCookie(): string | null {
    if (this.freshUser === null) return null;
    const secure = this.facts.scheme === 'https' ? '; Secure' : '';
    return `graygate_uid=${this.freshUser}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax${secure}`;
  }

  /** Reports the outcome; a second call does nothing. */
  protected end(durationMs: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.durationMs = durationMs;
    if (this.live !== null) {
      this.#stopWaiting();
      this.live.probe.left();
      this.live.probe.finished(this);
    }
    this.setting.finished(this);
    this.livePolicy.letGo();
  }

  /** A server that refused is not asked again, another one of the version may be; after a reset the same one may be. */
  #canRetry(kind: FaultKind): boolean {
    if (kind === 'reset') return this.retries.length < maxResetRetryCount;
    if (kind !== 'connect') return false;
    this.#tried.push(this.upstream!);
    return this.#tried.length < this.live!.version.servers.length;
  }

  #stopWaiting(): void {
    if (this.#isAwaited) this.live!.probe.unawaited();
    this.#isAwaited = false;
  }

  #fallBack(kind: FaultKind): void {
    this.#stopWaiting();
    this.live!.probe.fellBack(kind);
    this.live!.probe.left();
    this.live = this.#liveRollout!.versions[0];
    this.live.probe.entered();
    this.fallback = kind;
    this.reason = 'fallback';
    this.#tried = [];
  }
}
