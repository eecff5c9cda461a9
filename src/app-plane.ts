// Composition, fifth part: fits the data plane, in this process or in several, to the controller and the metrics. Adapters only.
import type { Logger } from 'pino';
import type { Control } from './app-control.ts';
import type { PackedPolicy } from './config/policy-parcel.ts';
import type { Policy } from './rollout/policy.ts';
import type { SplitCells } from './rollout/split.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { createServerLog } from './telemetry/server-log.ts';
import { createTlsLog } from './telemetry/tls-log.ts';
import type { DataPlane, PlaneEars } from './workers/data-plane.ts';
import { createLocalPlane } from './workers/local-plane.ts';
import { createWorkerPlane } from './workers/worker-plane.ts';

export type PlaneInput = {
  readonly policy: Policy;
  readonly packed: PackedPolicy;
  readonly cells: SplitCells;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly control: Control;
};

/** The data plane that the policy asks for. */
export async function openPlane({ control, ...parts }: PlaneInput): Promise<DataPlane> {
  const { policy, metrics, logger } = parts;
  const logServer = createServerLog(logger);
  const ears: PlaneEars = {
    assigned: (assignment) => control.assigned(assignment),
    observed: (observation) => control.observe(observation),
    exposed: (exposure) => control.experiments.desk.exposed(exposure),
    happened: (event) => control.experiments.desk.happened(event),
    unread: (event) => metrics.events.unread(event),
    mirrored: (record) => metrics.mirror.mirrored(record),
    differed: (difference) => metrics.mirror.differed(difference),
    serverChanged(report) {
      metrics.servers.changed(report);
      logServer(report);
    },
    tlsFailed: createTlsLog(logger),
  };
  return policy.workers === 1 ? createLocalPlane({ ...parts, ears }) : createWorkerPlane({ ...parts, ears });
}
