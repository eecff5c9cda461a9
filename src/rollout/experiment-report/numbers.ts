// How the numbers of a report are written: three digits that matter, signs on differences. A language only says where blanks go.
import type { Metric } from '../experiment.ts';
import { countOf } from '../wording.ts';

/** What stands between a number and its percent sign, and how percentage points are called. */
export type NumberStyle = { readonly blank: string; readonly points: string };

type Kind = Metric['kind'];

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

/** A lift (0.1: a tenth more): `+10 %`. */
export function liftText(lift: number, { blank }: NumberStyle): string {
  return `${signed(lift * 100, digits)}${blank}%`;
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
  if (Math.abs(value) >= 1000) return countOf(value);
  return Number(value.toPrecision(3)).toString();
}

function money(value: number): string {
  const [whole = '', cents = ''] = Math.abs(value).toFixed(2).split('.');
  return `${value < 0 ? '−' : ''}${countOf(Number(whole))}.${cents}`;
}
