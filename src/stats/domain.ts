// What a number must be before a formula may use it: NaN and nonsense stop here with a sentence, never later as a figure.

/** Refuses anything but a finite number of at least 0 with a RangeError. */
export function requireCount(name: string, value: number): void {
  if (!(value >= 0 && value < Infinity))
    throw new RangeError(`${name} must be a finite number of at least 0, not ${value}`);
}

/** Refuses anything but a finite number above 0 with a RangeError. */
export function requirePositive(name: string, value: number): void {
  if (!(value > 0 && value < Infinity)) throw new RangeError(`${name} must be a finite number above 0, not ${value}`);
}

/** Refuses anything outside 0–1 with a RangeError; both ends are allowed. */
export function requireRate(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} must be from 0 to 1, not ${value}`);
}

/** Refuses anything that is not strictly between 0 and 1 with a RangeError: error rates of tests, quantiles, shares. */
export function requireInside(name: string, value: number): void {
  if (!(value > 0 && value < 1)) throw new RangeError(`${name} must be above 0 and below 1, not ${value}`);
}

/** Refuses NaN and the infinities with a RangeError. */
export function requireFinite(name: string, value: number): void {
  if (!Number.isFinite(value)) throw new RangeError(`${name} must be a finite number, not ${value}`);
}
