// How numbers are written in sentences for people: units always, no more digits than matter.

/** A ratio (0–1) as percent: `4.9 %`, `0.12 %`, `12.3 %`; two digits that matter, three from 10 % on. */
export function percentOf(ratio: number): string {
  return `${shortNumber(ratio * 100)} %`;
}

/** A difference of ratios as percentage points: `0.1 percentage points`. */
export function pointsOf(ratio: number): string {
  return `${shortNumber(ratio * 100)} percentage points`;
}

/** A whole number with its thousands apart: `8,663`. */
export function countOf(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A latency: `0.84 ms`, `240 ms`, `1.5 s`. */
export function latencyOf(ms: number): string {
  return ms < 1000 ? `${shortNumber(ms)} ms` : `${shortNumber(ms / 1000)} s`;
}

/** A time span by its two largest units: `30 min`, `1 h 5 min`, `2 d`, `5 s`; below a second `250 ms`. */
export function durationOf(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.floor(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** A chance from natural log evidence, rounded towards the careful side: `below 1 in 10,000`. */
export function chanceOf(logEvidence: number): string {
  const odds = Math.exp(Math.min(logEvidence, Math.log(1e9))) * (1 + 1e-9);
  const scale = 10 ** Math.max(0, Math.floor(Math.log10(odds)));
  return `below 1 in ${countOf(Math.max(1, Math.floor(odds / scale)) * scale)}`;
}

/** `1st`, `95th`, … as latencies are called: 0.95 is `p95`, 0.999 is `p99.9`. */
export function quantileName(quantile: number): string {
  return `p${shortNumber(quantile * 100, 4)}`;
}

/** Words as a list: `b`, `b and c`, `b, c and d`; at least one. */
export function listOf(words: readonly string[]): string {
  const last = words.at(-1)!;
  return words.length === 1 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

function shortNumber(value: number, digits = Math.abs(value) >= 10 ? 3 : 2): string {
  return Math.abs(value) >= 1000 ? countOf(value) : String(Number(value.toPrecision(digits)));
}
