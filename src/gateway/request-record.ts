// What is known of a request, however it travels: the fields of its outcome, filled in as things happen, and what they make of
// its headers, its cookie and a problem.
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import type { Ending, FallbackReason, Fault, Outcome, RetryReason } from '../rollout/outcome.ts';
import type { ByteString, Rollout, Version } from '../rollout/policy.ts';
import type { RequestFacts } from './facts.ts';
import { isGrpc, renderGrpcProblem } from './grpc.ts';
import type { LivePolicy, LiveVersion } from './live-policy.ts';
import type { LongStreams } from './long-streams.ts';
import { type Problem, renderProblem, type RenderedProblem } from './problem.ts';
import { forwardedHeaders } from './request-headers.ts';
import type { UpstreamServer } from './servers/upstream-server.ts';

/** Sent as the status where the client left before there was one (nginx's convention). */
const clientLeftStatus = 499;
const noFaults: readonly Fault[] = [];
const noRetries: readonly RetryReason[] = [];

/** What all requests of a gateway share. */
export type JourneySetting = {
  /** True while the gateway drains: answers close their connections. */
  isDraining(): boolean;
  /** A decision, at the moment it is made. */
  decided(decision: Decision): void;
  finished(outcome: Outcome): void;
  readonly streams: LongStreams;
};

export type JourneyStart = {
  readonly live: LivePolicy;
  readonly facts: RequestFacts;
  readonly requestId: string;
  readonly target: string;
};

export abstract class RequestRecord implements Outcome {
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
  protected readonly setting: JourneySetting;
  protected readonly facts: RequestFacts;
  protected readonly livePolicy: LivePolicy;
  /** The version that is to answer; null until the decision. */
  protected live: LiveVersion | null = null;
  /** The user ID to issue as a cookie; null for none. */
  protected freshUser: ByteString | null = null;
  /** The server asked last. */
  protected upstream: UpstreamServer | null = null;
  readonly #beganMs = performance.now();

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
    const problem = this.#render({ code, detail, requestId: this.requestId });
    if (this.live !== null) problem.headers.push(...this.live.exposedHeaders);
    return problem;
  }

  #render(problem: Problem): RenderedProblem {
    if (!isGrpc(this.facts.header('content-type'))) return renderProblem(problem);
    const rendered = renderGrpcProblem(problem);
    this.grpcStatus = rendered.grpcStatus;
    return rendered;
  }

  protected elapsedMs(): number {
    return performance.now() - this.#beganMs;
  }

  /** The head of the issued cookie's header; null where none is issued. */
  protected issuedCookie(): string | null {
    if (this.freshUser === null) return null;
    const secure = this.facts.scheme === 'https' ? '; Secure' : '';
    return `graygate_uid=${this.freshUser}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax${secure}`;
  }
}
