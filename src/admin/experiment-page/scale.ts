// Where a number stands in a drawing, and which numbers an axis names.

export type Scale = {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
};

/** A linear scale from `low` to `high` onto `from` to `to`, with some `tickCount` round numbers. */
export function scaleOf(
  domain: readonly [low: number, high: number],
  range: readonly [number, number],
  tickCount: number,
): Scale {
  const [low, high] = domain;
  const [from, to] = range;
  const at = (value: number): number => from + ((value - low) / (high - low)) * (to - from);
  const step = roundStep((high - low) / tickCount);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { at, ticks };
}

/** A coordinate with no more digits than can be seen. */
export function place(coordinate: number): string {
  return String(Math.round(coordinate * 10) / 10);
}

/** 1, 2 or 5 times a power of ten, at least `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((each) => each * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}
