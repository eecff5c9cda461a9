// From checked keys to the typed way a release moves.
import { createHash } from 'node:crypto';
import { expandStage } from '../rollout/expand-stage.ts';
import type { PercentByVersion, Version } from '../rollout/policy.ts';
import { type Analysis, type Check, defaultAnalysis, type Staging, unwatched } from '../rollout/staging.ts';
import { buildMeasure } from './measure-schema.ts';
import type { RolloutDocument } from './rollout-schema.ts';
import type { AnalysisDocument, CheckDocument } from './staging-schema.ts';

/** The staging of a rollout; without stages a fixed split, watched only where `analysis` says how. */
export function buildStaging(
  document: Pick<RolloutDocument, 'release' | 'stages' | 'bake' | 'analysis'>,
  { versions, split }: { versions: readonly Version[]; split: PercentByVersion },
): Staging {
  const { release, stages = [], bake, analysis } = document;
  const [baseline, candidate, ...others] = versions;
  return {
    release: release ?? releaseOf(versions.slice(1)),
    baseline: baseline!.name,
    candidates: [candidate!.name, ...others.map(({ name }) => name)],
    split,
    stages: stages.flatMap(({ name, percent, to, step, hold, minRequests, approve }) =>
      expandStage({
        name,
        percent,
        to: to ?? null,
        step: step ?? null,
        holdMs: hold ?? null,
        minRequests: minRequests ?? null,
        approve,
      }),
    ),
    bake: bake === undefined ? null : { holdMs: bake.hold, controlPercent: bake.control },
    analysis: analysis === undefined ? (stages.length > 0 ? defaultAnalysis : unwatched) : buildAnalysis(analysis),
  };
}

function buildAnalysis(document: AnalysisDocument): Analysis {
  const { maxHold, down, checks, ...rest } = document;
  return {
    ...rest,
    promoteAlpha: defaultAnalysis.promoteAlpha,
    maxHoldMs: maxHold,
    downMs: down,
    checks: checks === undefined ? defaultAnalysis.checks : checks.map(buildCheck),
  };
}

function buildCheck(document: CheckDocument): Check {
  const name = document.name ?? document.metric;
  switch (document.metric) {
    case 'error-rate':
      return { ...document, name, tolerate: toMargin(document.tolerate), prove: toMargin(document.prove) };
    case 'latency': {
      const [first, ...others] = document.quantiles;
      return { ...document, name, quantiles: [first!, ...others] };
    }
    case 'conversion':
    case 'value':
    case 'revenue':
    case 'retention': {
      const { metric, role, tolerate, prove } = document;
      return { name, metric, role, measure: buildMeasure(document), tolerate, prove: prove ?? null };
    }
    case 'prometheus': {
      const { every, timeout, max, min, ...rest } = document;
      return { ...rest, name, max: max ?? null, min: min ?? null, everyMs: every, timeoutMs: timeout };
    }
    default: {
      const { every, timeout, ...rest } = document;
      return { ...rest, name, everyMs: every, timeoutMs: timeout };
    }
  }
}

/** The file says percentage points; inside it is a rate. */
function toMargin({ ratio, plus }: { ratio: number; plus: number }): { ratio: number; plus: number } {
  return { ratio, plus: plus / 100 };
}

/** What identifies a release that has no name: the candidates' servers and timeouts. How they are balanced or checked is no release. */
function releaseOf(candidates: readonly Version[]): string {
  const definitions = candidates.map(({ name, index, servers, timeouts }) => ({ name, index, servers, timeouts }));
  return createHash('sha256').update(JSON.stringify(definitions)).digest('hex').slice(0, 12);
}
