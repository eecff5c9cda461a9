// Sums of doubles without any rounding, to hold other sums against.

/** A double of 2^-1074 at least is a whole number of these. */
const exponentBits = 1_074n;

export class ExactSum {
  #units = 0n;

  add(value: number): void {
    this.#units += unitsOf(value);
  }

  /** The double that is nearest. */
  toNumber(): number {
    // In two steps, because the whole number of units may be more than a double holds.
    const shift = BigInt(Math.max(0, this.#units.toString(2).length - 200));
    const rounded = Number(this.#units >> shift);
    return rounded * 2 ** Number(shift - 700n) * 2 ** Number(700n - exponentBits);
  }
}

/** The step from a double to the next. */
export function ulpOf(value: number): number {
  return 2 ** (Math.floor(Math.log2(Math.abs(value))) - 52);
}

function unitsOf(value: number): bigint {
  const bits = new BigUint64Array(new Float64Array([value]).buffer)[0]!;
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & ((1n << 52n) - 1n);
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return value < 0 ? -magnitude : magnitude;
}
