// The data plane in this process: calls go straight through.
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import type { Policy } from '../rollout/policy.ts';
import { createAccessLog } from '../telemetry/access-log.ts';
import type { DataPlane, PlaneParts } from './data-plane.ts';

const well = { reasons: [], degraded: [] };

/** A data plane that serves with the process that controls it. */
export async function createLocalPlane({ policy, cells, metrics, logger, ears }: PlaneParts): Promise<DataPlane> {
  const accessLogOf = ({ logging }: Policy) => createAccessLog(logger, logging.access);
  let accessLog = accessLogOf(policy);
  const gateway: Gateway = await createGateway({
    ...ears,
    policy,
    telemetry: metrics,
    cellOf: (rollout) => cells.of(rollout),
    decided: (decision) => ears.assigned(decision),
    finished(outcome) {
      if (outcome.version === null) metrics.unmatched.counted(outcome.status, outcome.method);
      else ears.observed(outcome);
      accessLog?.(outcome);
    },
    malformed: (status) => metrics.unmatched.counted(status, ''),
    failed: (error) => logger.error({ err: error }, 'a request failed inside graygate'),
  });
  return {
    listen: () => gateway.listen(),
    publish: (rollout, split) => void (cells.of(rollout).current = split),
    adopt(next) {
      accessLog = accessLogOf(next);
      gateway.adopt(next);
    },
    settled: () => Promise.resolve(),
    caughtUp: () => Promise.resolve(),
    condition: () => well,
    close: (drainMs) => gateway.close(drainMs),
  };
}
