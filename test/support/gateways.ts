// Starts a real data plane on a free port for a test, with real metrics and a record of every outcome.
import { type Gateway, createGateway } from '../../src/gateway/gateway.ts';
import type { GatewayParts } from '../../src/gateway/gateway-parts.ts';
import type { BusinessEvent, Exposure } from '../../src/rollout/experiment.ts';
import type { Outcome } from '../../src/rollout/outcome.ts';
import type { Policy, Rollout } from '../../src/rollout/policy.ts';
import { SplitCells, type SplitCell } from '../../src/rollout/split.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';

export type RunningGateway = {
  readonly gateway: Gateway;
  readonly port: number;
  readonly url: string;
  readonly metrics: Metrics;
  readonly outcomes: Outcome[];
  readonly malformed: number[];
  readonly exposures: Exposure[];
  readonly events: BusinessEvent[];
  cellOf(rollout: Rollout): SplitCell;
};

export type TestContext = { after(fn: () => Promise<void> | void): void };

/** Runs until the test ends, when what is left is cut. `parts` take the place of the ones that record. */
export async function startGateway(
  context: TestContext,
  policy: Policy,
  parts: Partial<GatewayParts> = {},
): Promise<RunningGateway> {
  const cells = new SplitCells();
  const cellOf = (rollout: Rollout): SplitCell => cells.of(rollout);
  const metrics = new Metrics(
    { splitOf: (rollout) => cellOf(rollout).current, standings: () => [], isStoreWell: () => true },
    'test',
  );
  metrics.policyLoaded(policy, Date.now(), false);
  const outcomes: Outcome[] = [];
  const malformed: number[] = [];
  const exposures: Exposure[] = [];
  const events: BusinessEvent[] = [];
  const gateway = await createGateway({
    policy,
    telemetry: metrics,
    cellOf,
    decided: () => undefined,
    finished(outcome) {
      outcomes.push(outcome);
      if (outcome.version === null) metrics.unmatched.counted(outcome.status, outcome.method);
    },
    exposed: (exposure) => exposures.push(exposure),
    happened: (event) => events.push(event),
    unread: (event) => metrics.events.unread(event),
    mirrored: (record) => metrics.mirror.mirrored(record),
    differed: (difference) => metrics.mirror.differed(difference),
    malformed: (status) => malformed.push(status),
    serverChanged: (report) => metrics.servers.changed(report),
    tlsFailed: () => undefined,
    ...parts,
  });
  const port = await gateway.listen();
  context.after(() => gateway.close(0));
  return { gateway, port, url: `http://127.0.0.1:${port}`, metrics, outcomes, malformed, exposures, events, cellOf };
}
