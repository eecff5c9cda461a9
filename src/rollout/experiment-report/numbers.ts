// How the numbers of a report are written: three digits that matter, signs on differences. A language only says where blanks go.
import type { Metric } from '../experiment.ts';
import type { Estimated } from './report.ts';

/** What stands between a number and its percent sign, and how percentage points are called. */
export type NumberStyle = { readonly blank: string; readonly points: string };

type Kind = Metric['kind'];

const threeDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en', { maximumSignificantDigits: 1 });
const cents = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const hundredths = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

/** A figure of a metric: `5.02 %`, `61.20`, `0.123`. */
export function figureText(kind: Kind, value: number, { blank }: NumberStyle): string {
  if (isShare(kind)) return `${digits(value * 100)}${blank}%`;
  return isMoney(kind) ? money(value) : digits(value);
}

/** A difference of figures: `+0.99 percentage points`, `−1.20`. */
export function differenceText(kind: Kind, value: number, style: NumberStyle): string {
  if (isShare(kind)) return `${signed(value * 100, digits)}${style.points}`;
  return signed(value, isMoney(kind) ? money : digits);
}

/** A lift (0.1: a tenth more): `+10 %`, `−0.15 %`. */
export function liftText(lift: number, { blank }: NumberStyle): string {
  return `${signed(lift * 100, percents)}${blank}%`;
}

/** What the candidate changes, as a lift where there is one, and between what; percentage points are named once. */
export function changeTexts(
  kind: Kind,
  { lift, difference, lower, upper }: Pick<Estimated, 'lift' | 'difference' | 'lower' | 'upper'>,
  style: NumberStyle,
): { readonly change: string; readonly lower: string; readonly upper: string } {
  if (lift !== null) {
    const write = (value: number): string => liftText(value, style);
    return { change: write(lift.value), lower: write(lift.lower), upper: write(lift.upper) };
  }
  const write = (value: number, points: string): string => differenceText(kind, value, { ...style, points });
  const { points } = style;
  return { change: write(difference, points), lower: write(lower, ''), upper: write(upper, points) };
}

/** A share (0-1) without a sign: `8.2 %`. */
export function shareText(share: number, { blank }: NumberStyle): string {
  return `${digits(share * 100)}${blank}%`;
}

/** Whether the metric is a part of the users. */
export function isShare(kind: Kind): boolean {
  return kind === 'conversion' || kind === 'retention';
}

function isMoney(kind: Kind): boolean {
  return kind === 'value' || kind === 'revenue';
}

function signed(value: number, write: (size: number) => string): string {
  const text = write(Math.abs(value));
  if (!/[1-9]/.test(text)) return text;
  return `${value < 0 ? '−' : '+'}${text}`;
}

/** Three digits that matter; whole numbers above that, with their thousands apart. */
function digits(value: number): string {
  return (Math.abs(value) >= 999.5 ? whole : threeDigits).format(value);
}

/** Hundredths below 1, and what is smaller still with the one digit that tells it from 0. */
function percents(value: number): string {
  if (value >= 1) return digits(value);
  return (value >= 0.01 ? hundredths : oneDigit).format(value);
}

/** Two decimals; below a tenth three digits that matter, because some count thousandths. */
function money(value: number): string {
  return (value !== 0 && Math.abs(value) < 0.1 ? threeDigits : cents).format(value);
}
