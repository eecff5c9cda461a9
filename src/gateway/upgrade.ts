// A request to switch protocols, after its decision: opens a tunnel to a server and reports one outcome when it ends.
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import type { FaultKind } from '../rollout/outcome.ts';
import type { TunnelEnd } from './client/tunnel-end.ts';
import { errorCodeOf, isOwnShortage } from './faults.ts';
import { Journey } from './journey.ts';
import type { LiveRollout } from './live-policy.ts';
import type { JourneySetting, JourneyStart } from './request-record.ts';
import type { UpstreamServer } from './servers/upstream-server.ts';
import { Tunnel, type TunnelOwner } from './tunnel.ts';

export class Upgrade extends Journey implements TunnelOwner {
  readonly #client: TunnelEnd;
  #tunnel: Tunnel | null = null;
  #answeredMs: number | null = null;

  constructor(setting: JourneySetting, start: JourneyStart, client: TunnelEnd) {
    super(setting, start);
    this.#client = client;
    client.stream.on('close', () => this.#close());
  }

  refuse(code: ErrorCode, options: { detail?: string } = {}): void {
    if (!this.isOpen || this.ending === 'refused') return;
    const problem = this.problemOf(code, options.detail);
    this.status = problem.status;
    this.ending = 'refused';
    this.responseByteCount = Buffer.byteLength(problem.body);
    this.#client.refuse(problem);
  }

  forward(liveRollout: LiveRollout, decision: Decision): void {
    this.begin(liveRollout, decision);
    this.seek();
  }

  /** Cuts the connection on both sides, as when the time to drain is over. */
  cut(): void {
    this.#client.destroy();
  }

  protected override attempt(upstream: UpstreamServer): void {
    this.awaitAnswer();
    const cookie = this.issuedCookie();
    const input = {
      connector: upstream.tunnels,
      path: this.path,
      headers: this.headersFor(upstream, this.#client.rawHeaders),
      timeouts: this.live!.version.timeouts,
      addedHeaders: cookie === null ? this.live!.exposedHeaders : [...this.live!.exposedHeaders, 'Set-Cookie', cookie],
    };
    this.#tunnel = new Tunnel(this.#client, input, this);
  }

  failed(kind: FaultKind, error: unknown): void {
    if (isOwnShortage(error)) return this.refuse('too-many-connections');
    this.fault(kind);
    // A handshake is a GET without a body: it may always be sent again.
    if (!this.redirect(kind, kind !== 'connect')) return this.refuse(errorCodeOf(kind));
    setImmediate(() => {
      if (this.isOpen) this.seek();
    });
  }

  answered(status: number): void {
    this.status = status;
    this.ending = status === 101 ? 'upgraded' : 'complete';
    this.#answeredMs = this.elapsedMs();
    this.noteAnswer(status);
    if (status === 101) this.beginStream(() => this.#tunnel!.end());
  }

  broke(kind: FaultKind): void {
    if (!this.isOpen) return;
    this.fault(kind);
    this.ending = 'cut';
  }

  sentBytes(byteCount: number): void {
    this.requestByteCount += byteCount;
  }

  receivedBytes(byteCount: number): void {
    this.responseByteCount += byteCount;
  }

  #close(): void {
    this.end(this.#answeredMs ?? this.elapsedMs());
    this.#tunnel?.cut();
  }
}
