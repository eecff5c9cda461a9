// Composition, second part: fits the controller to the store, the windows, the metrics and the splits. Adapters only.
import { type ControlInput, controllerPartsOf, createShared, type Shared } from './app-control-parts.ts';
import type { RunningExperiments } from './app-experiments.ts';
import { type KeptStore, recall } from './app-keeping.ts';
import { beginOrKeepTrying, keepUp, type PolicyRecord, recordPolicy } from './app-upkeep.ts';
import { Controller } from './controller/controller.ts';
import type { LinkSigner } from './controller/link-signer.ts';
import type { Pilot } from './controller/pilot.ts';
import type { AuditEntry } from './rollout/audit-entry.ts';
import type { Assignment, Observation } from './rollout/observation.ts';
import type { Policy } from './rollout/policy.ts';
import { layOutSplit } from './rollout/split.ts';
import type { StoreStatus } from './store/store.ts';
import type { RolloutStanding } from './telemetry/rollout-gauges.ts';

/** The controller with all that it works on. */
export type Control = {
  readonly store: KeptStore;
  readonly experiments: RunningExperiments;
  /** Reads what alerts were sent. */
  readonly links: LinkSigner;
  /** Null until the store has said what it knows. */
  controller(): Controller | null;
  assigned(assignment: Assignment): void;
  observe(observation: Observation): void;
  follow(policy: Policy): void;
  /** Keeps the text of the policy in force, secrets masked, among the versions of the store. */
  recordPolicy(shown: PolicyRecord): void;
  /** Calls back for every change of a rollout; returns the way to stop that. */
  onChange(listener: (rollout: string, entry: AuditEntry) => void): () => void;
  storeStatus(): StoreStatus;
  /** Where each rollout stands, for the metrics. */
  standings(): RolloutStanding[];
  close(): Promise<void>;
};

/** Opens the store and starts the controller; a store that cannot be read is asked again until it can, and traffic goes on. */
export async function openControl(input: ControlInput): Promise<Control> {
  const { logger } = input;
  const shared = createShared(input);
  const { store, windows, sources, sender, experiments, links } = shared;
  let controller: Controller | null = null;
  let isClosed = false;
  const begin = async (): Promise<void> => {
    const remembered = await recall(store);
    await links.settle();
    if (isClosed) return;
    controller = createController(input, shared, remembered);
    controller.start();
    sender.poke();
  };
  const patience = await beginOrKeepTrying(begin, logger);
  const upkeep = keepUp(shared, logger);
  return {
    store,
    experiments,
    links,
    controller: () => controller,
    assigned: (decision) => windows.get(decision.rollout.name)?.assigned(decision),
    observe(outcome) {
      if (outcome.rollout !== null) windows.get(outcome.rollout.name)?.observe(outcome);
    },
    follow(policy) {
      shared.policy = policy;
      experiments.follow(policy);
      if (controller === null) return publishFixed(policy, input);
      followWith(controller, shared);
    },
    recordPolicy(shown) {
      shared.shown = shown;
      recordPolicy(shared);
    },
    onChange: (listener) => subscribe(shared.changeListeners, listener),
    storeStatus: () => store.status(),
    standings: () => controller?.pilots().map(standingOf) ?? [],
    async close() {
      isClosed = true;
      clearInterval(patience);
      upkeep.stop();
      sources.close();
      await controller?.close(Date.now());
      await sender.close();
      await experiments.close();
      await store.close();
    },
  };
}

type Remembered = Awaited<ReturnType<typeof recall>>;

/** One that goes on where the rollouts were. */
function createController(input: ControlInput, shared: Shared, remembered: Remembered): Controller {
  const { policy, sources } = shared;
  sources.follow(policy.rollouts);
  const parts = { ...controllerPartsOf(input, shared), remembered: (name: string) => remembered.get(name) ?? null };
  return new Controller(policy, parts, Date.now());
}

/** Has a policy take effect that came while the controller runs; windows of rollouts that it does not have are let go. */
function followWith(controller: Controller, { policy, sources, windows }: Shared): void {
  sources.follow(policy.rollouts);
  controller.follow(policy, Date.now());
  for (const name of windows.keys()) if (controller.pilot(name) === undefined) windows.delete(name);
}

/** Until the store has said where rollouts stand, fixed splits are as the file says and staged ones send nobody. */
function publishFixed({ rollouts }: Policy, { publish }: ControlInput): void {
  for (const rollout of rollouts) publish(rollout, layOutSplit(rollout.versions, rollout.split));
}

function standingOf(pilot: Pilot): RolloutStanding {
  const { state, measured } = pilot.view();
  return {
    rollout: pilot.rollout.name,
    phase: state?.phase ?? null,
    stage: state?.stay.stage ?? null,
    verdicts: measured?.verdicts ?? [],
  };
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
