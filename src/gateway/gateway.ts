// The data plane: takes requests off the public port, has them decided, sends them on. Reads the policy and the splits in
// force; says what happened through telemetry and nothing else upwards.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import type { Decision } from '../rollout/decide.ts';
import type { BusinessEvent, Exposure } from '../rollout/experiment.ts';
import type { MirrorDifference, MirrorRecord } from '../rollout/mirror-record.ts';
import type { Outcome } from '../rollout/outcome.ts';
import type { Policy, Rollout } from '../rollout/policy.ts';
import type { ServerReport } from '../rollout/server-report.ts';
import type { SplitCell } from '../rollout/split.ts';
import type { TlsFailure } from '../rollout/tls-failure.ts';
import { type Objection, objectionTo } from './admission.ts';
import { Http1Side } from './client/http1-side.ts';
import { Http1TunnelEnd } from './client/http1-tunnel-end.ts';
import { Http2Side } from './client/http2-side.ts';
import { Http2TunnelEnd } from './client/http2-tunnel-end.ts';
import { drainServer } from './drain.ts';
import { BusinessWatch } from './events/business-watch.ts';
import type { UnreadEvent } from './events/event-tap.ts';
import { Exchange } from './exchange.ts';
import { RequestFacts } from './facts.ts';
import { addressesOf, listenBeside } from './ingress/other-addresses.ts';
import { LivePolicy, type Telemetry } from './live-policy.ts';
import { LongStreams } from './long-streams.ts';
import { isClosing, tieToConnection } from './malformed.ts';
import type { RequestLike } from './raw-headers.ts';
import { requestIdOf } from './request-headers.ts';
import type { JourneySetting } from './request-record.ts';
import { requestLikeOf, route } from './route.ts';
import { ServerRegistry } from './servers/server-registry.ts';
import type { SourceSetting } from './servers/server-source.ts';
import { createTraffic, tuneTraffic } from './traffic.ts';
import { Upgrade } from './upgrade.ts';

export type GatewayParts = {
  readonly policy: Policy;
  readonly telemetry: Telemetry;
  cellOf(rollout: Rollout): SplitCell;
  /** Every decision, at the moment it is made. */
  decided(decision: Decision): void;
  /** Every outcome, once a request, those without a rollout included. */
  finished(outcome: Outcome): void;
  /** The split gave a user a version; at least once a day of the experiment's time zone. Before what the user does with it. */
  exposed(exposure: Exposure): void;
  /** A user did what counts as an event. */
  happened(event: BusinessEvent): void;
  /** A request was an event, but what it is worth cannot be read, so it is none. */
  unread(event: UnreadEvent): void;
  /** What became of a copy of a request. */
  mirrored(record: MirrorRecord): void;
  /** The answer to a copy was not what the user got. */
  differed(difference: MirrorDifference): void;
  /** A connection sent what is not a request, and was answered with this status. */
  malformed(status: number): void;
  /** A server takes requests now and did not before, or the other way round. */
  serverChanged(report: ServerReport): void;
  /** TLS with a server that is there came to nothing; once for as long as that stays so. */
  tlsFailed(failure: TlsFailure): void;
  /** How the names of servers become addresses; absent: by DNS and the platform. */
  readonly names?: Pick<SourceSetting, 'resolver' | 'resolveTimes'>;
  /** What the keys of TLS sessions are made from, so that processes behind one port resume each other's; absent: chance. */
  readonly ticketSecret?: Uint8Array;
  /** Something that nobody foresaw, in graygate itself; the request got 500. */
  failed?(error: unknown): void;
};

export interface Gateway {
  /** Starts to listen; resolves with the port. Fails when the address cannot be had. */
  listen(): Promise<number>;
  /** Instead of listening: gets ready for the connections that `take` brings. */
  open(): Promise<void>;
  /** Serves a connection that another process has accepted, of which nothing was read yet. */
  take(socket: Socket): void;
  /** From now on new requests follow this policy; those under way end on theirs. */
  adopt(policy: Policy): void;
  /** Stops listening, lets requests under way end within the time, then cuts them. */
  close(drainMs: number): Promise<void>;
}

export async function createGateway(parts: GatewayParts): Promise<Gateway> {
  const registry = new ServerRegistry({
    ...parts.names,
    reported: (report) => parts.serverChanged(report),
    tlsFailed: (failure) => parts.tlsFailed(failure),
  });
  const business = new BusinessWatch(parts);
  const livePolicyOf = (policy: Policy): LivePolicy => {
    const watch = business.over(policy);
    return new LivePolicy(policy, {
      registry,
      telemetry: parts.telemetry,
      cellOf: (rollout) => parts.cellOf(rollout),
      notesOf: (rollout) => watch.notesOf(rollout),
      mirrored: (record) => parts.mirrored(record),
      differed: (difference) => parts.differed(difference),
      onlookersOf: (rollout) => [watch.onlookerOf(rollout)].filter((onlooker) => onlooker !== null),
    });
  };
  let live = livePolicyOf(parts.policy);
  registry.started();
  let draining = false;
  /** Listen on further addresses of the same name. */
  let beside: readonly NetServer[] = [];
  const upgrades = new Set<Upgrade>();
  const setting: JourneySetting = {
    isDraining: () => draining,
    decided: (decision) => parts.decided(decision),
    finished: (outcome) => {
      if (outcome instanceof Upgrade) upgrades.delete(outcome);
      parts.finished(outcome);
    },
    streams: new LongStreams(() => live),
  };
  const failed = (error: unknown): void => parts.failed?.(error);
  const startOf = (request: RequestLike, objection: Objection | null) => {
    const facts = new RequestFacts(request, live.policy.trustedProxies);
    return { live, facts, objection, requestId: requestIdOf(facts), target: request.url, failed };
  };

  const traffic = await createTraffic(parts.policy, {
    onRequest(request: IncomingMessage, response: ServerResponse) {
      if (isClosing(request.socket)) return;
      const start = startOf(requestLikeOf(request), objectionTo(request));
      const exchange = new Exchange(setting, start, new Http1Side(request, response));
      if (tieToConnection(request.socket, exchange)) route(exchange, start);
      else exchange.refuse('too-many-connections', { detail: 'expected fewer requests at once', close: true });
    },
    onUpgrade(request: IncomingMessage, client: Socket, head: Buffer) {
      const start = startOf(requestLikeOf(request), objectionTo(request));
      const upgrade = new Upgrade(setting, start, new Http1TunnelEnd(request, client, head));
      upgrades.add(upgrade);
      route(upgrade, start);
    },
    onStream(stream, request) {
      const start = startOf(request, request.objection);
      const { idleMs } = live.policy.timeouts;
      if (request.protocol === null) {
        return route(new Exchange(setting, start, new Http2Side(stream, request, idleMs)), start);
      }
      const upgrade = new Upgrade(setting, start, new Http2TunnelEnd(stream, request, idleMs));
      upgrades.add(upgrade);
      route(upgrade, start);
    },
    onMalformed: (status) => parts.malformed(status),
    ticketSecret: parts.ticketSecret,
  });

  return {
    async listen() {
      const { host, port } = parts.policy.listen;
      const [first, ...others] = await addressesOf(host);
      await traffic.fastify.listen({ host: first!, port });
      const { server } = traffic.fastify;
      const { port: actualPort } = server.address() as { port: number };
      beside = await listenBeside(server, others, actualPort);
      return actualPort;
    },
    async open() {
      await traffic.fastify.ready();
      // The platform watches the time of headers from the moment its server listens.
      traffic.fastify.server.emit('listening');
    },
    take(socket) {
      socket.allowHalfOpen = true;
      traffic.fastify.server.emit('connection', socket);
    },
    adopt(policy) {
      const replaced = live;
      live = livePolicyOf(policy);
      tuneTraffic(traffic, policy);
      replaced.retire();
    },
    async close(drainMs) {
      draining = true;
      setting.streams.close();
      for (const server of beside) server.close();
      traffic.http2.drain();
      await drainServer(traffic.fastify.server, {
        drainMs,
        closeUnused: () => traffic.connections.closeUnused(),
        cutRest() {
          for (const upgrade of upgrades) upgrade.cut();
          traffic.connections.destroy();
        },
        allClosed: () => traffic.connections.allClosed(),
      });
      await business.finish();
      registry.destroy();
      await traffic.fastify.close();
    },
  };
}
