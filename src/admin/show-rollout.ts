// A rollout as the API shows it, made from what the controller knows. Pure but for the servers it is told of.
import { allowedActions } from '../rollout/machine-action.ts';
import type { ExperimentStanding } from '../rollout/experiment-standing.ts';
import type { Experiment } from '../rollout/experiment.ts';
import { latenciesOf, totalOf } from '../rollout/figures.ts';
import type { VersionFigures } from '../rollout/measurement.ts';
import type { Server, Version } from '../rollout/policy.ts';
import { heldMsOf, isWatched, type PauseCause, type RolloutState } from '../rollout/rollout-state.ts';
import { isUp } from '../rollout/server-report.ts';
import { comparedCandidates } from '../rollout/staging.ts';
import { summarize } from '../rollout/summary.ts';
import type { RolloutView, ServerAddress, ServerBoard } from './admin-parts.ts';
import type { ShownRollout } from './contract.ts';

/** One rollout with all that is known of it at `nowMs`. */
export function showRollout(view: RolloutView, servers: ServerBoard, nowMs: number): ShownRollout {
  const { rollout, state, measured } = view;
  const { staging } = rollout;
  return {
    name: rollout.name,
    release: state?.release ?? staging.release,
    revision: state?.revision ?? 0,
    state: state === null ? null : showState(state, nowMs),
    holds: view.holds,
    actions: allowedActions(state),
    versions: rollout.versions.map((version) => ({
      name: version.name,
      role: version.index === 0 ? 'baseline' : 'candidate',
      percent: view.split.percents[version.index] ?? 0,
      servers: version.servers.map((server) =>
        showServer(server, servers.addresses(rollout.name, version.name, server.origin)),
      ),
      recent: showRecent(view, version, nowMs),
      stage: showStage(view, version, nowMs),
      ...showHealth(view, version),
    })),
    checks: staging.analysis.checks.flatMap(({ name, role, metric }) =>
      comparedCandidates(staging).map((candidate) => ({
        name,
        version: candidate,
        role,
        metric,
        verdict: measured?.verdicts.find(({ check, version }) => check === name && version === candidate) ?? null,
      })),
    ),
    sampleRatio: measured?.sampleRatio ?? null,
    candidateHealth: measured?.candidate ?? null,
    experiment: rollout.experiment === null ? null : showExperiment(rollout.experiment, measured?.experiment),
    stages: staging.stages,
    bake: staging.bake,
  };
}

/** Of the first metric before anybody was counted. */
function showExperiment({ metrics: [primary] }: Experiment, standing: ExperimentStanding | undefined) {
  if (standing === undefined)
    return { metric: primary.name, winner: null, isOver: false, sentence: 'nothing has been counted yet' };
  const { metric, winner, isOver, sentence } = standing;
  return { metric, winner, isOver, sentence };
}

function showServer({ origin, weight }: Server, addresses: readonly ServerAddress[]) {
  const up = addresses.length === 0 ? null : addresses.some(({ state }) => isUp(state));
  return { origin, weight, up, addresses };
}

function showState(state: RolloutState, nowMs: number): NonNullable<ShownRollout['state']> {
  const { phase, candidate, percent, sinceMs, reason, by, stay, rejected, unsaved } = state;
  return {
    phase,
    candidate,
    percent,
    sinceMs,
    reason,
    by,
    stage: {
      index: stay.stage,
      name: stay.name,
      sinceMs: stay.sinceMs,
      heldMs: heldMsOf(state, nowMs),
      timedOut: stay.timedOut,
      needsApproval: stay.needsApproval,
    },
    paused: state.phase === 'paused' ? { resumeTo: state.resumeTo, ...showCause(state.cause) } : null,
    frozenSinceMs: isWatched(state) ? state.frozenSinceMs : null,
    rejected,
    saved: unsaved.length === 0,
  };
}

function showCause(cause: PauseCause) {
  return { cause: cause.kind, check: cause.kind === 'person' ? null : cause.check };
}

function showRecent({ recent }: RolloutView, { index }: Version, nowMs: number) {
  const figures = recent.figures[index];
  if (figures === undefined || recent.sinceMs === null) return summarize(nothing, null, 0);
  return summarize(totalOf(figures), latenciesOf(figures), nowMs - recent.sinceMs);
}

/** Of several candidates that are watched; of one it stands beside the versions. */
function showHealth({ rollout, measured }: RolloutView, { name }: Version): Pick<ShownVersion, 'health'> {
  const [first, ...others] = comparedCandidates(rollout.staging);
  if (others.length === 0 || (name !== first && !others.includes(name))) return {};
  if (measured === null) return { health: null };
  if (name === first) return { health: measured.candidate };
  return { health: measured.others?.find(({ version }) => version === name)?.health ?? { kind: 'up' } };
}

function showStage({ state, stage }: RolloutView, { index }: Version, nowMs: number) {
  if (state === null) return null;
  const [bySplit, byRules] = [stage.split[index] ?? nothing, stage.rules[index] ?? nothing];
  const total = {
    requests: bySplit.requests + byRules.requests,
    failures: bySplit.failures + byRules.failures,
  };
  return summarize(total, stage.latencies[index] ?? null, nowMs - state.stay.sinceMs);
}

type ShownVersion = ShownRollout['versions'][number];

const nothing: VersionFigures = { requests: 0, failures: 0 };
