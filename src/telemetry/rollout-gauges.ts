// What the controller knows, as gauges: where each rollout stands, what its checks say, and whether the store is well.
import { Gauge, type Registry } from 'prom-client';
import type { Phase } from '../rollout/rollout-state.ts';
import type { Answer, Verdict } from '../rollout/verdict.ts';

/** One rollout at this moment. */
export type RolloutStanding = {
  readonly rollout: string;
  readonly phase: Phase | null;
  /** Index in the stages; null where there is none. */
  readonly stage: number | null;
  readonly verdicts: readonly Verdict[];
};

export type StandingsSource = {
  standings(): readonly RolloutStanding[];
  isStoreWell(): boolean;
};

const phases: readonly Phase[] = ['steady', 'progressing', 'waiting', 'paused', 'baking', 'promoted', 'rolled-back'];
const answers: readonly Answer[] = ['pass', 'fail', 'not-enough-data', 'error'];

/** Registers the gauges; they are filled when somebody scrapes. */
export function addRolloutGauges(registry: Registry, source: StandingsSource): void {
  const registers: [Registry] = [registry];
  new Gauge({
    name: 'graygate_rollout_phase',
    help: 'Whether a rollout is in this phase: 0 or 1.',
    labelNames: ['rollout', 'phase'],
    registers,
    collect() {
      this.reset();
      for (const { rollout, phase } of source.standings()) {
        for (const each of phases) this.set({ rollout, phase: each }, each === phase ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'graygate_rollout_stage',
    help: 'Index of the stage a rollout is in, from 0; none where there are no stages.',
    labelNames: ['rollout'],
    registers,
    collect() {
      this.reset();
      for (const { rollout, stage } of source.standings()) if (stage !== null) this.set({ rollout }, stage);
    },
  });
  addCheckGauges(registers, source);
  new Gauge({
    name: 'graygate_store_up',
    help: 'Whether the store takes what must be kept: 0 or 1.',
    registers,
    collect() {
      this.set(source.isStoreWell() ? 1 : 0);
    },
  });
}

function addCheckGauges(registers: [Registry], source: StandingsSource): void {
  const labelNames = ['rollout', 'version', 'check'] as const;
  /** One value a check that weighs evidence. */
  const addEvidence = (name: string, help: string, valueOf: (evidence: WeighedEvidence) => number): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { rollout, verdicts } of source.standings()) {
          for (const { check, version, evidence } of verdicts) {
            if (evidence.kind !== 'source') this.set({ rollout, version, check }, valueOf(evidence));
          }
        }
      },
    });
  };
  addEvidence('graygate_check_evidence', 'Natural log of the evidence for harm.', ({ logHarm }) => logHarm);
  addEvidence(
    'graygate_check_threshold',
    'Where the evidence for harm of this check alone stops the rollout.',
    ({ harmThreshold }) => harmThreshold,
  );
  new Gauge({
    name: 'graygate_check_verdict',
    help: 'Whether a check gives this verdict: 0 or 1.',
    labelNames: [...labelNames, 'verdict'],
    registers,
    collect() {
      this.reset();
      for (const { rollout, verdicts } of source.standings()) {
        for (const { check, version, answer } of verdicts) {
          for (const each of answers) this.set({ rollout, version, check, verdict: each }, each === answer ? 1 : 0);
        }
      }
    },
  });
}

type WeighedEvidence = Exclude<Verdict['evidence'], { readonly kind: 'source' }>;
