// What serves traffic, seen from what controls it: one interface, made in this process (local-plane.ts) or over several
// (worker-plane.ts).
import type { Logger } from 'pino';
import type { PackedPolicy } from '../config/policy-parcel.ts';
import type { Assignment, Observation } from '../rollout/observation.ts';
import type { Policy, Rollout } from '../rollout/policy.ts';
import type { Split, SplitCells } from '../rollout/split.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { PlainEars } from './plain-verbs.ts';

export interface DataPlane {
  /** Starts to serve; resolves with the port. Fails when the address cannot be had, or nothing there is to serve. */
  listen(): Promise<number>;
  /** Brings a split into force. */
  publish(rollout: Rollout, split: Split): void;
  /** New requests follow this policy; those under way end on theirs. `packed` is the same one. */
  adopt(policy: Policy, packed: PackedPolicy): void;
  /** Resolves when the policy adopted last is in force everywhere. */
  settled(): Promise<void>;
  /** Resolves when what had happened by now was told, or after a short time where somebody cannot say it. */
  caughtUp(): Promise<void>;
  condition(): PlaneCondition;
  /** Stops listening, lets requests under way end within the time, then cuts them. */
  close(drainMs: number): Promise<void>;
}

/** `reasons`: why it cannot serve. `degraded`: what works less well than it should. */
export type PlaneCondition = { readonly reasons: readonly string[]; readonly degraded: readonly string[] };

/** What a data plane is told and whom it tells. */
export type PlaneParts = {
  readonly policy: Policy;
  readonly packed: PackedPolicy;
  /** Where the splits in force can be read in this process. */
  readonly cells: SplitCells;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly ears: PlaneEars;
};

export type PlaneEars = PlainEars & {
  /** A user was given a version, by the split that is in force now. */
  assigned(assignment: Assignment): void;
  /** A request that a rollout took has ended. */
  observed(observation: Observation): void;
};
