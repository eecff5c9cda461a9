// What a report says in a language: the sentences, and the words of its tables. Types, and the table of languages' names.
import type { Metric } from '../experiment.ts';
import type { NumberStyle } from './numbers.ts';
import type { ExperimentReport, MetricComparison, MetricVerdict, Missing, UserBalance } from './report.ts';

/** The languages that a report can be had in. */
export const reportLanguages = ['en', 'zh'] as const;

export type ReportLanguage = (typeof reportLanguages)[number];

export type Words = {
  /** For `lang` of a page (BCP 47). */
  readonly tag: string;
  readonly numbers: NumberStyle;
  /** Between a heading and what it says, and between what is said and what is added. */
  readonly marks: { readonly colon: string; readonly semicolon: string };
  title(report: ExperimentReport): string;
  /** `20,037 users`. */
  userCount(users: number): string;
  /** `Conversion: purchase within 1 d`. */
  metric(metric: Metric): string;
  /** A verdict as a sentence. */
  verdict(metric: Metric, comparison: Omit<MetricComparison, 'sentence'>, baseline: string): string;
  /** What is asked for and not there yet. */
  missing(kind: Metric['kind'], missing: readonly Missing[]): string;
  /** A verdict in one or two words. */
  answer(verdict: MetricVerdict): string;
  /** The outcome of the whole experiment, in one sentence. */
  outcome(report: ExperimentReport): string;
  /** Which metric decides instead, by what it is called in the report. */
  decidedBy(metric: string): string;
  /** The alarm of users who do not fall as the split says. */
  mismatch(balance: UserBalance): string;
  /** `below 1 in 10,000`. */
  chance(logEvidence: number): string;
  /** What the adjusted figures are and save. */
  adjusted(saved: number): string;
  leftOut(leftOut: ExperimentReport['leftOut']): string | null;
  waiting(users: number): string;
  /** Of values without a cap. */
  readonly uncapped: string;
  duration(ms: number): string;
  /** What the intervals promise. */
  promise(report: ExperimentReport): string;
  readonly label: Labels;
};

/** Headings and the words of drawings. */
export type Labels = {
  readonly metric: string;
  readonly version: string;
  readonly baseline: string;
  readonly candidate: string;
  readonly users: string;
  readonly whoCame: string;
  readonly expected: string;
  readonly figure: string;
  readonly difference: string;
  readonly lift: string;
  readonly interval: string;
  readonly byLuck: string;
  readonly verdict: string;
  readonly primary: string;
  readonly release: string;
  readonly age: string;
  readonly madeAt: string;
  readonly worse: string;
  readonly better: string;
  readonly newUsers: string;
  readonly overTime: string;
  readonly phases: string;
  readonly began: string;
  readonly split: string;
  readonly events: string;
  readonly event: string;
  readonly count: string;
  readonly valueSum: string;
  readonly howToRead: string;
  readonly waiting: string;
};
