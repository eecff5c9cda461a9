// Makes what comes off the public port, in whichever protocol, a request of the gateway's own and sends it on its way by the
// policy in force. Holds what all these requests share.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { type Objection, objectionTo } from './admission.ts';
import { Http1Side } from './client/http1-side.ts';
import { Http1TunnelEnd } from './client/http1-tunnel-end.ts';
import type { Http2Request } from './client/http2-request.ts';
import { Http2Side } from './client/http2-side.ts';
import { Http2TunnelEnd } from './client/http2-tunnel-end.ts';
import type { TunnelEnd } from './client/tunnel-end.ts';
import { Exchange } from './exchange.ts';
import type { GatewayParts } from './gateway-parts.ts';
import type { LivePolicy } from './live-policy.ts';
import { LongStreams } from './long-streams.ts';
import { isClosing, tieToConnection } from './malformed.ts';
import type { RequestLike } from './raw-headers.ts';
import { RequestRecord, type RequestSetting } from './request-record.ts';
import { requestLikeOf, route } from './route.ts';
import type { TrafficHandler } from './traffic.ts';
import { Upgrade } from './upgrade.ts';

type IntakeParts = Pick<GatewayParts, 'decided' | 'finished' | 'malformed' | 'failed' | 'ticketSecret'>;

export class Intake implements TrafficHandler {
  readonly ticketSecret: Uint8Array | undefined;
  readonly #parts: IntakeParts;
  readonly #setting: RequestSetting;
  readonly #upgrades = new Set<Upgrade>();
  #live: LivePolicy;
  #isDraining = false;

  constructor(live: LivePolicy, parts: IntakeParts) {
    this.#live = live;
    this.#parts = parts;
    this.ticketSecret = parts.ticketSecret;
    this.#setting = {
      isDraining: () => this.#isDraining,
      decided: (decision) => parts.decided(decision),
      finished: (outcome) => parts.finished(outcome),
      failed: (error) => parts.failed?.(error),
      streams: new LongStreams(() => this.#live),
    };
  }

  /** From now on new requests follow this policy; the one before is let go with the last of its own. */
  adopt(live: LivePolicy): void {
    const replaced = this.#live;
    this.#live = live;
    replaced.retire();
  }

  /** From now on answers close their connections, and what would stay open for long is ended. */
  drain(): void {
    this.#isDraining = true;
    this.#setting.streams.close();
  }

  /** Cuts the connections that were switched to another protocol, which no answer will end. */
  cutUpgrades(): void {
    for (const upgrade of this.#upgrades) upgrade.cut();
  }

  onRequest(request: IncomingMessage, response: ServerResponse): void {
    if (isClosing(request.socket)) return;
    const objection = objectionTo(request);
    const exchange = new Exchange(this.#recordOf(requestLikeOf(request)), new Http1Side(request, response));
    if (tieToConnection(request.socket, exchange)) route(exchange, objection);
    else exchange.refuse('too-many-connections', { detail: 'expected fewer requests at once', close: true });
  }

  onUpgrade(request: IncomingMessage, client: Socket, head: Buffer): void {
    const objection = objectionTo(request);
    this.#upgrade(requestLikeOf(request), new Http1TunnelEnd(request, client, head), objection);
  }

  onStream(stream: ServerHttp2Stream, request: Http2Request): void {
    const { objection, protocol } = request;
    const { idleMs } = this.#live.policy.timeouts;
    if (protocol !== null) return this.#upgrade(request, new Http2TunnelEnd(stream, request, idleMs), objection);
    route(new Exchange(this.#recordOf(request), new Http2Side(stream, request, idleMs)), objection);
  }

  onMalformed(status: number): void {
    this.#parts.malformed(status);
  }

  #recordOf(request: RequestLike): RequestRecord {
    return new RequestRecord(this.#setting, this.#live, request);
  }

  #upgrade(request: RequestLike, client: TunnelEnd, objection: Objection | null): void {
    const upgrade = new Upgrade(this.#recordOf(request), client);
    this.#upgrades.add(upgrade);
    client.stream.on('close', () => this.#upgrades.delete(upgrade));
    route(upgrade, objection);
  }
}
