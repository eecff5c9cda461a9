// The data plane over several processes: this one accepts, controls and adds up, workers serve.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { PackedPolicy } from '../config/policy-parcel.ts';
import type { Policy } from '../rollout/policy.ts';
import type { ServerReport } from '../rollout/server-report.ts';
import { TallyShare } from '../telemetry/tally-share.ts';
import { Acceptor } from './acceptor.ts';
import { Crew, type CrewListener } from './crew.ts';
import type { DataPlane, PlaneCondition, PlaneParts } from './data-plane.ts';
import { readObservations } from './observation-codec.ts';
import { sinkOf } from './observation-sink.ts';
import { writeLines } from './log-lines.ts';
import { hear } from './plain-verbs.ts';
import { RolloutNumbers } from './rollout-numbers.ts';
import { ServerVotes } from './server-votes.ts';
import { SplitSerials } from './split-serials.ts';
import type { PolicyForAll, WorkerLink } from './worker-link.ts';

/** A worker answers between two requests. */
const catchUpWithinMs = 250;

/** A data plane with as many workers as the policy says; none runs before `listen`. */
export function createWorkerPlane(parts: PlaneParts): DataPlane {
  const { policy, cells, metrics, logger } = parts;
  const serials = new SplitSerials(cells);
  const numbers = new RolloutNumbers();
  const acceptor = new Acceptor();
  const ticketSecret = randomBytes(32);
  const orderOf = (serial: number, next: Policy, packed: PackedPolicy): PolicyForAll => ({
    serial,
    packed,
    ticketSecret,
    numbers: numbers.follow(next),
    splits: () => next.rollouts.map((rollout) => serials.newsOf(rollout)),
  });
  let order = orderOf(1, policy, parts.packed);
  const crew = new Crew({
    workerCount: policy.workers,
    logger,
    policy: () => order,
    listener: listenerOf(parts, { numbers, serials, acceptor }),
  });
  metrics.workers.follow(() => crew.links.filter(({ servedSerial }) => servedSerial > 0));
  return {
    async listen() {
      // First the address, so that nothing is started in vain; what comes before the workers are ready waits for them.
      const port = await acceptor.listen(policy.listen);
      await crew.start().catch((error: unknown) => {
        acceptor.close();
        throw error;
      });
      return port;
    },
    publish(rollout, split) {
      cells.of(rollout).current = split;
      const news = serials.advance(rollout);
      for (const link of crew.links) link.tell({ kind: 'split', news });
    },
    adopt(next, packed) {
      order = orderOf(order.serial + 1, next, packed);
      for (const link of crew.links) link.adopt(order);
    },
    settled: () => crew.serve(order.serial),
    caughtUp: () => crew.handOver(catchUpWithinMs),
    condition: () => conditionOf(crew),
    async close(drainMs) {
      acceptor.close();
      await crew.end(drainMs);
    },
  };
}

type Around = { readonly numbers: RolloutNumbers; readonly serials: SplitSerials; readonly acceptor: Acceptor };

function listenerOf({ metrics, logger, ears }: PlaneParts, { numbers, serials, acceptor }: Around): CrewListener {
  const votes = new ServerVotes((report) => ears.serverChanged(report));
  const shares = new Map<WorkerLink, TallyShare>();
  const shareOf = (link: WorkerLink): TallyShare => {
    let share = shares.get(link);
    if (share === undefined) shares.set(link, (share = new TallyShare(metrics.tallies)));
    return share;
  };
  const sink = sinkOf(ears, numbers, serials);
  return {
    serves(link) {
      acceptor.add(link);
      shareOf(link).prune();
    },
    reported(link, { tallies, said, observations, log }) {
      const share = shareOf(link);
      for (const delta of tallies) share.add(delta);
      const heard = { ...ears, serverChanged: (about: ServerReport) => votes.report(link.index, about) };
      for (const saying of said) hear(heard, saying);
      readObservations(observations, sink);
      if (log !== '') writeLines(logger, log);
    },
    hasRoom: () => acceptor.handOut(),
    gone(link, untaken: readonly Socket[]) {
      acceptor.remove(link);
      shareOf(link).end();
      shares.delete(link);
      metrics.workers.lost(link);
      votes.forget(link.index);
      for (const socket of untaken) acceptor.offer(socket);
    },
    restarted: (index) => metrics.workers.restarted(index),
  };
}

function conditionOf(crew: Crew): PlaneCondition {
  const missing = crew.missing.map((index) => `worker ${index}: being restarted`);
  const late = crew.late.map((index) => `worker ${index}: does not answer`);
  const isAnyServing = crew.links.some(({ servedSerial, pulse }) => servedSerial > 0 && pulse === 'well');
  return { reasons: isAnyServing ? [] : ['no worker serves'], degraded: [...missing, ...late] };
}
