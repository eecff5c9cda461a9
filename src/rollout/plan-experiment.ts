// How many users, and days, an experiment needs to find a lift: from what the metrics are today. Expectations, not bounds.
import { plannedUsers, type UserCount } from '../stats/plan-experiment.ts';
import type { Metric } from './experiment.ts';
import type { ExperimentReport } from './experiment-report/report.ts';

/** What a metric is for one version's users today. `variance`: of one user's part of the mean. */
export type MetricToday = { readonly mean: number; readonly variance: number };

export type ExperimentQuestion = {
  /** The lift to be found (0.1: a tenth more). */
  readonly lift: number;
  /** Chance (0-1) to find it. */
  readonly power: number;
  /** Chance (0-1) that a metric is said to differ though it does not; a candidate's part of it. */
  readonly alpha: number;
  /** The candidate's part (0-1) of the users of both versions. */
  readonly share: number;
  /** New users of both versions a day; null: not known. */
  readonly usersPerDay: number | null;
  readonly leastMs: number;
};

/** `users` and `days` are null where the metric is not known, is the same for all users, or cannot rise by so much. */
export type MetricPlan = {
  readonly metric: Metric;
  readonly today: number | null;
  readonly users: UserCount | null;
  /** With looks at any time; never below the least age. */
  readonly days: number | null;
};

const dayMs = 86_400_000;

/** One metric: `today` null where nothing is known of it. */
export function planMetric(metric: Metric, today: MetricToday | null, question: ExperimentQuestion): MetricPlan {
  const unknown = { metric, today: today?.mean ?? null, users: null, days: null };
  if (today === null || today.mean === 0 || !(today.variance > 0)) return unknown;
  const lifted = today.mean * (1 + question.lift);
  if (isShare(metric) && lifted >= 1) return unknown;
  const users = plannedUsers({
    difference: lifted - today.mean,
    candidateVariance: isShare(metric) ? lifted * (1 - lifted) : today.variance,
    baselineVariance: today.variance,
    share: question.share,
    alpha: question.alpha,
    power: question.power,
  });
  const { usersPerDay, leastMs } = question;
  const days = usersPerDay === null ? null : Math.max(leastMs / dayMs, users.sequential / usersPerDay);
  return { ...unknown, users, days };
}

/** Whether the metric is a share (0-1) of the users, which cannot rise above all of them. */
export function isShare({ kind }: Metric): boolean {
  return kind === 'conversion' || kind === 'retention';
}

/** What people say of a shop when nothing has been counted yet. Shares are 0-1; null: not said. */
export type AssumedRates = {
  readonly conversion: number | null;
  readonly retention: number | null;
  readonly orderValue: number | null;
  /** Standard deviation of an order's value. */
  readonly orderSpread: number | null;
};

/** A metric as the assumed rates make it, one order a buyer; null where they say nothing of it. */
export function assumedToday({ kind }: Metric, rates: AssumedRates): MetricToday | null {
  const { conversion, retention, orderValue, orderSpread } = rates;
  const share = kind === 'conversion' ? conversion : kind === 'retention' ? retention : null;
  if (share !== null) return { mean: share, variance: share * (1 - share) };
  if (conversion === null || conversion === 0 || orderValue === null || orderSpread === null) return null;
  const spread = orderSpread ** 2;
  if (kind === 'value') return { mean: orderValue, variance: spread / conversion };
  if (kind !== 'revenue') return null;
  const mean = conversion * orderValue;
  return { mean, variance: conversion * (spread + orderValue ** 2) - mean ** 2 };
}

/** The baseline's part of a report; null where nothing was counted. */
export function recordedToday({ name }: Metric, report: ExperimentReport): MetricToday | null {
  const baseline = report.metrics.find(({ metric }) => metric.name === name)?.versions[0];
  if (baseline === undefined || baseline.mean === null || baseline.variance === null) return null;
  return { mean: baseline.mean, variance: baseline.variance };
}

/** New users a day of all versions since the experiment began; null in its first hour. */
export function recordedUsersPerDay({ versions, beganMs, atMs }: ExperimentReport): number | null {
  const days = (atMs - beganMs) / dayMs;
  const users = versions.reduce((sum, version) => sum + version.users, 0);
  return days * 24 < 1 || users === 0 ? null : users / days;
}
