// Composition, third part: fits the admin port to the controller, the store, the policy and the metrics. Adapters only.
import type { Logger } from 'pino';
import type { AdminParts, PolicyProblem, PolicyShown, Readiness } from './admin/admin-parts.ts';
import type { Control } from './app-control.ts';
import { formatProblem } from './config/problem.ts';
import { compileRollouts, type RolloutTable } from './rollout/matching.ts';
import type { Policy } from './rollout/policy.ts';
import type { SplitCells } from './rollout/split.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { PlaneCondition } from './workers/data-plane.ts';

export type AdminInput = {
  readonly control: Control;
  readonly cells: SplitCells;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly version: string;
  readonly shown: PolicyShown;
  policy(): Policy;
  isDraining(): boolean;
  condition(): PlaneCondition;
  /** Resolves when what had happened by now was told. */
  caughtUp(this: void): Promise<void>;
};

/** What the admin port needs, from what there is. */
export function adminPartsOf(input: AdminInput): AdminParts {
  const { control, cells, metrics, logger, version, shown } = input;
  const { store } = control;
  const tableOf = remember(compileRollouts);
  return {
    version,
    policy: shown,
    rollouts: {
      views: () =>
        control
          .controller()
          ?.pilots()
          .map((pilot) => ({ rollout: pilot.rollout, ...pilot.view() })) ?? null,
      act: async (rollout, request) => (await control.controller()?.act(rollout, request)) ?? null,
    },
    mirror: { recent: (rollout) => metrics.mirror.recent(rollout) },
    servers: { addresses: (...of) => metrics.servers.addresses(...of) },
    experiments: deskOf(input),
    history: {
      entries: (range) => store.audit.query(range),
      points: (range) => store.history.query(range),
    },
    decider: { table: () => tableOf(input.policy()), splitOf: (rollout) => cells.of(rollout).current },
    changes: { subscribe: (listener) => control.onChange(listener) },
    responses: store.responses,
    links: { read: (token, nowMs) => control.links.read(token, input.policy().alerts, nowMs) },
    usedLinks: store.tokens,
    access: {
      tokens: () => input.policy().admin.tokens,
      origins: () =>
        input.policy().alerts.flatMap(({ approveUrl }) => (approveUrl === null ? [] : [new URL(approveUrl).origin])),
      guessed: (address) =>
        logger.warn({ address }, 'an address sends wrong tokens; more of them are refused for a while'),
    },
    health: { readiness: () => readinessOf(input) },
    metrics: { render: (accept) => metrics.render(accept) },
    failed: (error, at) => logger.error({ err: error, ...at }, 'an admin request failed'),
  };
}

/** A report, and what is forgotten, has all that users did before it was asked for. */
function deskOf({ control, caughtUp }: AdminInput): AdminParts['experiments'] {
  const { desk } = control.experiments;
  return {
    ingest: (events) => desk.ingest(events),
    async forget(...of) {
      await caughtUp();
      return desk.forget(...of);
    },
    async figures(...of) {
      await caughtUp();
      return desk.figures(...of);
    },
  };
}

function readinessOf({ control, shown, metrics, ...input }: AdminInput): Readiness {
  const isDraining = input.isDraining();
  const { ok, reason, history } = control.storeStatus();
  const condition = input.condition();
  const degraded = [...condition.degraded, ...metrics.servers.troubles()];
  if (!ok) degraded.push(`store: ${reason}`);
  const troubled = control.experiments.desk.status().degraded;
  if (troubled !== null) degraded.push(`experiments: ${troubled}`);
  if (!history.ok) degraded.push(`history: ${history.reason}`);
  if (control.controller() === null) degraded.push('rollouts: not known until the store can be read');
  const rejected = shown.lastRejected();
  if (rejected !== null) degraded.push(rejectionOf(rejected.problems));
  const reasons = isDraining ? ['draining'] : condition.reasons;
  return { ready: reasons.length === 0, reasons, degraded };
}

/** The first problem stands for all; the log and `GET /api/v1/policy` have the others. */
function rejectionOf([first, ...others]: readonly PolicyProblem[]): string {
  const what = first === undefined ? '' : `: ${formatProblem(first)}`;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `policy: rejected, the one before stays in force${what}${more}`;
}

/** The table of a policy, compiled once for each policy asked about. */
function remember(compile: (policy: Policy) => RolloutTable): (policy: Policy) => RolloutTable {
  const known = new WeakMap<Policy, RolloutTable>();
  return (policy) => {
    let table = known.get(policy);
    if (table === undefined) known.set(policy, (table = compile(policy)));
    return table;
  };
}
