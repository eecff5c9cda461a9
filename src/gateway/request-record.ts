// What is known of a request, however it travels: the fields of its outcome, filled in as things happen. Tells the version that
// has the request that its answer is awaited, that one stays open for long, and, exactly once, how it ended.
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import type { Ending, FallbackReason, Fault, Outcome, RetryReason } from '../rollout/outcome.ts';
import type { ByteString, Rollout, Version } from '../rollout/policy.ts';
import { RequestFacts } from './facts.ts';
import { isGrpc, renderGrpcProblem } from './grpc.ts';
import type { LivePolicy, LiveVersion } from './live-policy.ts';
import type { LongStream, LongStreams } from './long-streams.ts';
import { renderProblem, type RenderedProblem } from './problem.ts';
import type { RequestLike } from './raw-headers.ts';
import { forwardedHeaders, requestIdOf } from './request-headers.ts';
import type { UpstreamServer } from './servers/upstream-server.ts';

/** Sent as the status where the client left before there was one (nginx's convention). */
const clientLeftStatus = 499;
const noFaults: readonly Fault[] = [];
const noRetries: readonly RetryReason[] = [];

/** What all requests of a gateway share. */
export type RequestSetting = {
  /** True while the gateway drains: answers close their connections. */
  isDraining(): boolean;
  /** A decision, at the moment it is made. */
  decided(decision: Decision): void;
  finished(outcome: Outcome): void;
  /** What nobody foresaw; the request gets 500, the others go on. */
  failed(error: unknown): void;
  readonly streams: LongStreams;
};

export class RequestRecord implements Outcome {
  rollout: Rollout | null = null;
  decided: Version | null = null;
  reason: Outcome['reason'] = null;
  rule: string | null = null;
  bucket: number | null = null;
  user: ByteString | null = null;
  server: string | null = null;
  status = clientLeftStatus;
  grpcStatus: number | null = null;
  ending: Ending = 'client-left';
  durationMs = 0;
  requestByteCount = 0;
  responseByteCount = 0;
  faults: readonly Fault[] = noFaults;
  retries: readonly RetryReason[] = noRetries;
  fallback: FallbackReason | null = null;
  readonly requestId: string;
  readonly target: string;
  readonly setting: RequestSetting;
  readonly facts: RequestFacts;
  readonly livePolicy: LivePolicy;
  /** The version that is to answer; null until the decision. */
  live: LiveVersion | null = null;
  /** The user ID to issue as a cookie; null for none. */
  #freshUser: ByteString | null = null;
  #hasEnded = false;
  #isAwaited = false;
  #stream: LongStream | null = null;
  readonly #beganMs: number;

  constructor(setting: RequestSetting, live: LivePolicy, request: RequestLike) {
    this.setting = setting;
    this.livePolicy = live;
    this.facts = new RequestFacts(request, live.policy.trustedProxies);
    this.requestId = requestIdOf(this.facts);
    this.target = request.url;
    this.#beganMs = performance.now();
    live.hold();
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

  /** The path and query that the server is asked for: the client's. */
  get path(): string {
    return this.facts.target.path + this.facts.target.query;
  }

  /** Nothing has reported its outcome yet. */
  get isOpen(): boolean {
    return !this.#hasEnded;
  }

  takeDown({ rollout, version, reason, rule, bucket, user, issueCookie }: Decision): void {
    this.rollout = rollout;
    this.decided = version;
    this.reason = reason;
    this.rule = rule;
    this.bucket = bucket;
    this.user = user;
    if (issueCookie) this.#freshUser = user;
  }

  /** Raw headers for a server of the version. */
  headersFor(upstream: UpstreamServer, rawHeaders: readonly string[]): string[] {
    const { facts, requestId } = this;
    const { decisionHeaders } = this.live!;
    return forwardedHeaders(rawHeaders, { facts, requestId, decisionHeaders, upstreamHost: upstream.host });
  }

  /** An answer of graygate's own to this request. */
  problemOf(code: ErrorCode, detail: string | undefined): RenderedProblem {
    const problem = this.#render(code, detail);
    if (this.live !== null) problem.headers.push(...this.live.exposedHeaders);
    return problem;
  }

  #render(code: ErrorCode, detail: string | undefined): RenderedProblem {
    const problem = { code, detail, requestId: this.requestId };
    if (!isGrpc(this.facts.header('content-type'))) return renderProblem(problem);
    const rendered = renderGrpcProblem(problem);
    this.grpcStatus = rendered.grpcStatus;
    return rendered;
  }

  /** The head of the issued cookie's header; null where none is issued. */
  issuedCookie(): string | null {
    if (this.#freshUser === null) return null;
    const secure = this.facts.scheme === 'https' ? '; Secure' : '';
    return `graygate_uid=${this.#freshUser}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax${secure}`;
  }

  elapsedMs(): number {
    return performance.now() - this.#beganMs;
  }

  /** The client has sent all that an answer needs; until then its slowness would be taken for the version's. */
  awaitAnswer(): void {
    if (this.#isAwaited || this.#hasEnded) return;
    this.#isAwaited = true;
    this.live!.probe.awaited();
  }

  /** The answer is here, or the version is not asked any more. */
  stopAwaiting(): void {
    if (this.#isAwaited) this.live!.probe.unawaited();
    this.#isAwaited = false;
  }

  /** The version has answered with what stays open for long; `withdraw` ends it before its time. */
  beginStream(withdraw: () => void): void {
    const { rollout, decided, live, facts } = this;
    this.#stream = { rollout: rollout!, decided: decided!.name, servedBy: live!.version.name, facts, withdraw };
    live!.probe.streamOpened();
    this.setting.streams.opened(this.#stream);
  }

  /** Reports the outcome, and has the version left; a second call does nothing. */
  end(durationMs: number, journey: { leaveVersion(): void } | null): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.durationMs = durationMs;
    if (this.#stream !== null) {
      this.setting.streams.closed(this.#stream);
      this.live!.probe.streamClosed();
    }
    if (this.live !== null) {
      this.stopAwaiting();
      journey!.leaveVersion();
      this.live.probe.finished(this);
    }
    this.setting.finished(this);
    this.livePolicy.letGo();
  }
}
