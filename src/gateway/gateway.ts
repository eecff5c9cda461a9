// The data plane: takes requests off the public port, has them decided, sends them on. Reads the policy and the splits in
// force; says what happened through telemetry and nothing else upwards.
import type { Server as NetServer, Socket } from 'node:net';
import type { Policy } from '../rollout/policy.ts';
import { drainServer } from './drain.ts';
import { BusinessWatch } from './events/business-watch.ts';
import type { GatewayParts } from './gateway-parts.ts';
import { addressesOf, listenBeside } from './ingress/other-addresses.ts';
import { Intake } from './intake.ts';
import { LivePolicy } from './live-policy.ts';
import { ServerRegistry } from './servers/server-registry.ts';
import { createTraffic, type Traffic, tuneTraffic } from './traffic.ts';

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

/** A gateway that neither listens nor serves yet. */
export async function createGateway(parts: GatewayParts): Promise<Gateway> {
  const registry = new ServerRegistry({
    ...parts.names,
    reported: (report) => parts.serverChanged(report),
    tlsFailed: (failure) => parts.tlsFailed(failure),
  });
  const business = new BusinessWatch(parts);
  const source: LiveSource = { parts, registry, business };
  const intake = new Intake(livePolicyOf(parts.policy, source), parts);
  registry.started();
  const traffic = await createTraffic(parts.policy, intake);
  /** Listen on further addresses of the same name. */
  let beside: readonly NetServer[] = [];
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
      intake.adopt(livePolicyOf(policy, source));
      tuneTraffic(traffic, policy);
    },
    async close(drainMs) {
      intake.drain();
      for (const server of beside) server.close();
      await drainTraffic(traffic, intake, drainMs);
      await business.finish();
      registry.destroy();
      await traffic.fastify.close();
    },
  };
}

/** What one policy after another is made ready with. */
type LiveSource = {
  readonly parts: GatewayParts;
  readonly registry: ServerRegistry;
  readonly business: BusinessWatch;
};

function livePolicyOf(policy: Policy, { parts, registry, business }: LiveSource): LivePolicy {
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
}

/** Ends all connections: those in use when they are done, or when the time is over. */
async function drainTraffic({ fastify, connections, http2 }: Traffic, intake: Intake, drainMs: number): Promise<void> {
  http2.drain();
  await drainServer(fastify.server, {
    drainMs,
    closeUnused: () => connections.closeUnused(),
    cutRest() {
      intake.cutUpgrades();
      connections.destroy();
    },
    allClosed: () => connections.allClosed(),
  });
}
