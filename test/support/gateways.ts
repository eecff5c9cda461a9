// Starts a real data plane on a free port for a test, with real metrics and a record of every outcome.
import { type Gateway, createGateway } from '../../src/gateway/gateway.ts';
import type { Outcome } from '../../src/rollout/outcome.ts';
import type { Policy, Rollout } from '../../src/rollout/policy.ts';
import { layOutSplit, type SplitCell } from '../../src/rollout/split.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';

export type RunningGateway = {
  readonly gateway: Gateway;
  readonly port: number;
  readonly url: string;
  readonly metrics: Metrics;
  readonly outcomes: Outcome[];
  readonly malformed: number[];
  cellOf(rollout: Rollout): SplitCell;
};

export type TestContext = { after(fn: () => Promise<void> | void): void };

/** Runs until the test ends, when what is left is cut. */
export async function startGateway(context: TestContext, policy: Policy): Promise<RunningGateway> {
  const cells = new Map<string, SplitCell>();
  const cellOf = (rollout: Rollout): SplitCell => {
    let cell = cells.get(rollout.name);
    if (cell === undefined) cells.set(rollout.name, (cell = { current: layOutSplit(rollout.versions, rollout.split) }));
    return cell;
  };
  const metrics = new Metrics(
    { splitOf: (rollout) => cellOf(rollout).current, standings: () => [], isStoreWell: () => true },
    'test',
  );
  metrics.policyLoaded(policy, Date.now(), false);
  const outcomes: Outcome[] = [];
  const malformed: number[] = [];
  const gateway = await createGateway({
    policy,
    telemetry: metrics,
    cellOf,
    decided: () => undefined,
    finished(outcome) {
      outcomes.push(outcome);
      if (outcome.version === null) metrics.unmatched.counted(outcome.status, outcome.method);
    },
    malformed: (status) => malformed.push(status),
  });
  const port = await gateway.listen();
  context.after(() => gateway.close(0));
  return { gateway, port, url: `http://127.0.0.1:${port}`, metrics, outcomes, malformed, cellOf };
}
