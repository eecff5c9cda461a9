// What the machine needs to know of an experiment: whether it is over, who has won, and the numbers for the audit log.
import { decisiveOf } from './experiment-report/decisive.ts';
import type { Experiment } from './experiment.ts';
import type { ExperimentReport } from './experiment-report/report.ts';
import { durationOf } from './wording.ts';

/** JSON; a part of the measurement. */
export type ExperimentStanding = {
  readonly release: string;
  /** Name of the primary metric. */
  readonly metric: string;
  /** The version that has won, the baseline's name too; null: nothing is decided. */
  readonly winner: string | null;
  /** `stopWhen` has come. */
  readonly isOver: boolean;
  readonly then: Experiment['then'];
  /** What the primary metric says. */
  readonly sentence: string;
  readonly figures: readonly ComparedVersion[];
};

/** A candidate beside the baseline in the primary metric; all of it null before anything can be compared. */
export type ComparedVersion = {
  readonly candidate: string;
  readonly users: number | null;
  readonly candidateMean: number | null;
  readonly baselineMean: number | null;
  readonly difference: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly logEvidence: number | null;
};

/** The end of an experiment, kept in the state: it ends once. `winner` null: it ended undecided. */
export type Concluded = { readonly atMs: number; readonly winner: string | null; readonly sentence: string };

/** Where an experiment stands by its report. */
export function standingOf(report: ExperimentReport, { stopWhen, then }: Experiment): ExperimentStanding {
  const { release, decision, metrics, atMs, beganMs } = report;
  const primary = metrics.find(({ role }) => role === 'primary');
  const winner = decision.kind === 'winner' ? decision.version : null;
  const isTimeUp = stopWhen?.kind === 'after' && atMs - beganMs >= stopWhen.afterMs;
  const ended = isTimeUp && winner === null ? `undecided after ${durationOf(atMs - beganMs)}: ` : '';
  return {
    release,
    metric: primary?.metric.name ?? '',
    winner,
    isOver: isTimeUp || (stopWhen?.kind === 'decided' && winner !== null),
    then,
    sentence: `${ended}${decision.sentence}`,
    figures: (primary?.comparisons ?? []).map((comparison) => {
      const { candidate, figures } = comparison;
      const decisive = decisiveOf(comparison);
      return {
        candidate,
        users: figures?.users ?? null,
        candidateMean: figures?.candidateMean ?? null,
        baselineMean: figures?.baselineMean ?? null,
        difference: decisive?.difference ?? null,
        lower: decisive?.lower ?? null,
        upper: decisive?.upper ?? null,
        logEvidence: decisive?.logEvidence ?? null,
      };
    }),
  };
}
