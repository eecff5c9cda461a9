// Durations, sizes, percents and counts as people write them. Pure: text or number in, number or what is wrong out.
import { accepted, refused, type Reading } from './reading.ts';

const msPerUnit: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const bytesPerUnit: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

const durationHint = 'write a number and a unit, such as 250ms, 30s, 10m, 2h or 7d';
const sizeHint = 'write a number and a unit, such as 512KiB or 16MiB';
const percentHint = 'write a number from 0 to 100 in steps of 0.01, such as 10, 0.01 or "12.5%"';

/** `250ms`, `30s`, `1.5h` as whole milliseconds; a bare number is refused, since nobody can see its unit. */
export function parseDuration(written: unknown): Reading<number> {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(String(written));
  if (match === null) return refused('is not a duration', durationHint);
  const durationMs = roundNoise(Number(match[1]) * msPerUnit[match[2]!]!);
  if (!Number.isInteger(durationMs)) return refused('is not a whole number of milliseconds', durationHint);
  return accepted(durationMs);
}

/** `512KiB` as whole bytes; `KB` and its like are refused, since people disagree on what they mean. */
export function parseSize(written: unknown): Reading<number> {
  const text = String(written);
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(B|KiB|MiB|GiB)$/.exec(text);
  if (match === null) return refused('is not a size', sizeHintFor(text));
  const bytes = roundNoise(Number(match[1]) * bytesPerUnit[match[2]!]!);
  if (!Number.isInteger(bytes)) return refused('is not a whole number of bytes', sizeHint);
  return accepted(bytes);
}

/** `10`, `0.01` or `"12.5%"` as a percent: 0–100 in steps of 0.01, so that it is a whole number of buckets. */
export function parsePercent(written: unknown): Reading<number> {
  const isPercent =
    typeof written === 'number' || (typeof written === 'string' && /^\d{1,9}(\.\d{1,9})?%?$/.test(written));
  if (!isPercent) return refused('is not a percent', percentHint);
  const percent = typeof written === 'number' ? written : Number(written.replace('%', ''));
  if (!(percent >= 0 && percent <= 100)) return refused('is not between 0 and 100 percent', percentHint);
  const buckets = roundNoise(percent * 100);
  if (!Number.isInteger(buckets)) return refused('is finer than a hundredth of a percent', percentHint);
  return accepted(buckets / 100);
}

/** A whole number of things, at least 1; digits in text count, so that `${NAME}` can stand for it. */
export function parseCount(written: unknown): Reading<number> {
  const isDigits = typeof written === 'number' || (typeof written === 'string' && /^\d{1,15}$/.test(written));
  const count = isDigits ? Number(written) : Number.NaN;
  if (!Number.isSafeInteger(count) || count < 1) return refused('is not a whole number of at least 1');
  return accepted(count);
}

function sizeHintFor(text: string): string {
  const decimal = /^([\d.]+)\s*([KMG])i?B?$/i.exec(text);
  return decimal === null ? sizeHint : `did you mean the unit ${decimal[2]!.toUpperCase()}iB?`;
}

/** Takes back the last bits that multiplying a decimal fraction brings: 0.07 * 100 is 7, not 7.000000000000001. */
function roundNoise(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) < 1e-9 * Math.max(1, Math.abs(value)) ? whole : value;
}
