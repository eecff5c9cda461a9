// Options that are numbers, times or small lists of NAME=VALUE, read for commander: what is wrong is said as it says all its errors.
import { InvalidArgumentError } from 'commander';
import { parseDuration, parsePercent } from '../config/quantities.ts';

/** A reader of numbers above `min` and up to `max`. */
export function numberAbove(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value > min && value <= max)) throw new InvalidArgumentError(`expected a number above ${min}, up to ${max}`);
    return value;
  };
}

/** A reader of whole numbers. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`);
    return value;
  };
}

/** `0.1` or `0.1%` as a ratio (0–1). */
export function readPercent(text: string): number {
  const digits = /^(\d{1,3}(?:\.\d{1,9})?)%?$/.exec(text)?.[1];
  const percent = digits === undefined ? Number.NaN : Number(digits);
  if (!(percent >= 0 && percent <= 100))
    throw new InvalidArgumentError('expected a percent from 0 to 100, such as 0.1');
  return percent / 100;
}

/** The percent of a split, as a policy writes it: 0 to 100 in steps of 0.01. */
export function readSplitPercent(text: string): number {
  const reading = parsePercent(text);
  if (!reading.ok) throw new InvalidArgumentError(`it ${reading.problem}; ${reading.hint ?? ''}`);
  return reading.value;
}

/** `30s`, `10m`, `2h` in milliseconds. */
export function readDuration(text: string): number {
  const reading = parseDuration(text);
  if (!reading.ok) throw new InvalidArgumentError(`it ${reading.problem}; ${reading.hint ?? ''}`);
  return reading.value;
}

/** `name=value,name=value` with some of these names, each at most once. */
export function readPairs(text: string, names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.trim().split('=', 2);
    if (!names.includes(name) || value === '' || found.has(name))
      throw new InvalidArgumentError(`expected ${names.join('=, ')}=, each once; got "${part.trim()}"`);
    found.set(name, value);
  }
  return found;
}
