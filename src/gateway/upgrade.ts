// A request to switch protocols, after its decision: opens a tunnel to a server and reports one outcome when it ends.
import type { ErrorCode } from '../errors.ts';
import type { Decision } from '../rollout/decide.ts';
import type { FaultKind } from '../rollout/outcome.ts';
import type { TunnelEnd } from './client/tunnel-end.ts';
import { errorCodeOf, isOwnShortage } from './faults.ts';
import { Journey, type Traveller } from './journey.ts';
import type { LiveRollout } from './live-policy.ts';
import type { RequestRecord } from './request-record.ts';
import type { Routable } from './route.ts';
import type { UpstreamServer } from './servers/upstream-server.ts';
import { Tunnel, type TunnelOwner } from './tunnel.ts';

export class Upgrade implements Routable, Traveller, TunnelOwner {
  readonly record: RequestRecord;
  readonly #client: TunnelEnd;
  /** Null before the decision. */
  #journey: Journey | null = null;
  #tunnel: Tunnel | null = null;
  #answeredMs: number | null = null;

  constructor(record: RequestRecord, client: TunnelEnd) {
    this.record = record;
    this.#client = client;
    client.stream.on('close', () => this.#close());
  }

  refuse(code: ErrorCode, options: { detail?: string } = {}): void {
    const { record } = this;
    if (!record.isOpen || record.ending === 'refused') return;
    const problem = record.problemOf(code, options.detail);
    record.status = problem.status;
    record.ending = 'refused';
    record.responseByteCount = Buffer.byteLength(problem.body);
    this.#client.refuse(problem);
  }

  forward(liveRollout: LiveRollout, decision: Decision): void {
    this.#journey = new Journey(this, liveRollout, decision);
    this.#journey.seek();
  }

  /** Cuts the connection on both sides, as when the time to drain is over. */
  cut(): void {
    this.#client.destroy();
  }

  attempt(upstream: UpstreamServer): void {
    const { record } = this;
    const { version, exposedHeaders } = record.live!;
    record.awaitAnswer();
    const cookie = record.issuedCookie();
    const input = {
      connector: upstream.tunnels,
      path: record.path,
      headers: record.headersFor(upstream, this.#client.rawHeaders),
      timeouts: version.timeouts,
      addedHeaders: cookie === null ? exposedHeaders : [...exposedHeaders, 'Set-Cookie', cookie],
    };
    this.#tunnel = new Tunnel(this.#client, input, this);
  }

  failed(kind: FaultKind, error: unknown): void {
    if (isOwnShortage(error)) return this.refuse('too-many-connections');
    const journey = this.#journey!;
    journey.fault(kind);
    // A handshake is a GET without a body: it may always be sent again.
    if (!journey.redirect(kind, kind !== 'connect')) return this.refuse(errorCodeOf(kind));
    setImmediate(() => {
      if (this.record.isOpen) journey.seek();
    });
  }

  answered(status: number): void {
    const { record } = this;
    record.status = status;
    record.ending = status === 101 ? 'upgraded' : 'complete';
    this.#answeredMs = record.elapsedMs();
    this.#journey!.noteAnswer(status);
    if (status === 101) record.beginStream(() => this.#tunnel!.end());
  }

  broke(kind: FaultKind): void {
    if (!this.record.isOpen) return;
    this.#journey!.fault(kind);
    this.record.ending = 'cut';
  }

  sentBytes(byteCount: number): void {
    this.record.requestByteCount += byteCount;
  }

  receivedBytes(byteCount: number): void {
    this.record.responseByteCount += byteCount;
  }

  #close(): void {
    this.record.end(this.#answeredMs ?? this.record.elapsedMs(), this.#journey);
    this.#tunnel?.cut();
  }
}
