// Judges a check whose numbers come from outside (prometheus, webhook): one sample after the other, each kind of bad answer by itself.
// Pure: the controller asks the source and says what came back.
import type { PrometheusCheck, WebhookCheck } from './staging.ts';
import type { Verdict } from './verdict.ts';
import { durationOf } from './wording.ts';

export type SourceCheck = PrometheusCheck | WebhookCheck;

/**
 * What came back. `value`: of the one series that a query found; `answered`: the status of a webhook. An infinite value is, like
 * NaN, most often a division by nothing, so it is no data; say `not-a-number`.
 */
export type SourceSample =
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'not-a-number' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'several'; readonly seriesCount: number }
  | { readonly kind: 'timeout'; readonly afterMs: number }
  | { readonly kind: 'http-error'; readonly status: number }
  | { readonly kind: 'unusable'; readonly detail: string };

/** What is remembered from sample to sample; JSON. */
export type SourceHistory = {
  readonly last: SourceSample | null;
  readonly value: number | null;
  readonly breachesInARow: number;
  readonly errorsInARow: number;
};

/** Before the first sample. */
export const noSamples: SourceHistory = { last: null, value: null, breachesInARow: 0, errorsInARow: 0 };

/** The history with one more sample. No data and errors neither add to the breaches in a row nor forgive them. */
export function addSample(check: SourceCheck, history: SourceHistory, sample: SourceSample): SourceHistory {
  const meaning = meaningOf(check, sample);
  const { breachesInARow, errorsInARow } = history;
  return {
    last: sample,
    value: meaning === 'good' || meaning === 'breach' ? numberIn(sample) : history.value,
    breachesInARow: meaning === 'good' ? 0 : breachesInARow + (meaning === 'breach' ? 1 : 0),
    errorsInARow: meaning === 'error' ? errorsInARow + 1 : 0,
  };
}

/** The verdict of all samples so far about a version. */
export function judgeSource(check: SourceCheck, history: SourceHistory, version: string): Verdict {
  const { last, value, breachesInARow, errorsInARow } = history;
  const evidence = { kind: 'source', value, breachesInARow, errorsInARow, failures: check.failures } as const;
  const known = { check: check.name, version, role: check.role, evidence };
  if (last === null) return { ...known, answer: 'not-enough-data', sentence: `${check.name} has not been asked yet` };
  const sentence = `${check.name} ${describe(check, last)}`;
  const meaning = meaningOf(check, last);
  if (meaning === 'good') return { ...known, answer: 'pass', sentence };
  if (meaning === 'error') return { ...known, answer: 'error', sentence: `${sentence}${timesOf(errorsInARow)}` };
  if (meaning === 'no-data') return { ...known, answer: 'not-enough-data', sentence };
  const isFailing = breachesInARow >= check.failures;
  const rest = isFailing ? timesOf(breachesInARow) : ` (${breachesInARow} of ${check.failures} in a row)`;
  return { ...known, answer: isFailing ? 'fail' : 'not-enough-data', sentence: `${sentence}${rest}` };
}

function numberIn(sample: SourceSample): number | null {
  return sample.kind === 'value' ? sample.value : sample.kind === 'answered' ? sample.status : null;
}

type Meaning = 'good' | 'breach' | 'no-data' | 'error';

function meaningOf(check: SourceCheck, sample: SourceSample): Meaning {
  if (sample.kind === 'answered') return meaningOfStatus(sample.status);
  if (sample.kind === 'empty' || sample.kind === 'not-a-number') return 'no-data';
  if (sample.kind !== 'value') return 'error';
  if (!Number.isFinite(sample.value)) return 'no-data';
  return limitBroken(check, sample.value) === null ? 'good' : 'breach';
}

/**
 * A webhook says yes with 2xx and no with any other answer of its own; a redirect, "slow down" and the statuses with which a proxy
 * says that it reached nobody are no answer.
 */
function meaningOfStatus(status: number): Meaning {
  if (status >= 200 && status < 300) return 'good';
  return status < 400 || [408, 429, 502, 503, 504].includes(status) ? 'error' : 'breach';
}

function limitBroken(check: SourceCheck, value: number): string | null {
  if (check.metric === 'webhook') return null;
  if (check.max !== null && value > check.max) return `above ${check.max}`;
  return check.min !== null && value < check.min ? `below ${check.min}` : null;
}

function describe(check: SourceCheck, sample: SourceSample): string {
  switch (sample.kind) {
    case 'value':
      if (!Number.isFinite(sample.value)) return 'has no finite number now';
      return `is ${Number(sample.value.toPrecision(4))}, ${limitBroken(check, sample.value) ?? 'inside its limits'}`;
    case 'answered':
      return `answered ${sample.status}`;
    case 'not-a-number':
      return 'has no finite number now';
    case 'empty':
      return 'has no data: the query found nothing';
    case 'several':
      return `cannot be read: the query found ${sample.seriesCount} series where one is expected`;
    case 'timeout':
      return `did not answer within ${durationOf(sample.afterMs)}`;
    case 'http-error':
      return `cannot be read: its source answered ${sample.status}`;
    default:
      return `cannot be read: ${sample.detail}`;
  }
}

function timesOf(count: number): string {
  return count === 1 ? '' : `, ${count} times in a row`;
}
