// How a demo shop misbehaves: which share of its requests fails, and how long it waits before it answers.
import { GraygateError } from '../../errors.ts';

export type Behaviour = {
  /** Percent of requests answered with 500. */
  readonly errorsPercent: number;
  /** Added to every answer. */
  readonly latencyMs: number;
};

export const goodBehaviour: Behaviour = { errorsPercent: 0, latencyMs: 0 };

const maxLatencyMs = 10_000;
const defaults = { errors: 50, latency: 400 };

/** Reads `errors`, `errors=5` (percent), `latency` or `latency=250` (milliseconds), several joined by commas. Throws `usage`. */
export function parseBehaviour(text: string): Behaviour {
  const wanted: Record<string, unknown> = {};
  for (const part of text.split(',')) {
    const [kind = '', value] = part.trim().split('=');
    if (kind !== 'errors' && kind !== 'latency') {
      throw new GraygateError('usage', `expected errors[=percent] or latency[=milliseconds], got "${part.trim()}"`);
    }
    wanted[kind] = value === undefined ? defaults[kind] : /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  }
  const behaviour = readBehaviour(wanted);
  if (typeof behaviour === 'string') throw new GraygateError('usage', behaviour);
  return behaviour;
}

/** Reads `{ errors?, latency? }`, what is absent being good; a string says what is wrong. */
export function readBehaviour(body: unknown): Behaviour | string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return 'expected an object such as {"errors": 50, "latency": 400}';
  }
  const { errors = 0, latency = 0, ...others }: { errors?: unknown; latency?: unknown } = body;
  const [unknownKey] = Object.keys(others);
  if (unknownKey !== undefined) return `expected errors and latency, got "${unknownKey}"`;
  if (!isBetween(errors, 100)) return `expected errors as a percent from 0 to 100, got ${JSON.stringify(errors)}`;
  if (!isBetween(latency, maxLatencyMs)) {
    return `expected latency as milliseconds from 0 to ${maxLatencyMs}, got ${JSON.stringify(latency)}`;
  }
  return { errorsPercent: errors, latencyMs: latency };
}

/** `fails 50 % of requests, 400 ms slower`, or `healthy`. */
export function describeBehaviour(behaviour: Behaviour): string {
  const parts = [];
  if (behaviour.errorsPercent > 0) parts.push(`fails ${behaviour.errorsPercent} % of requests`);
  if (behaviour.latencyMs > 0) parts.push(`${behaviour.latencyMs} ms slower`);
  return parts.join(', ') || 'healthy';
}

function isBetween(value: unknown, max: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= max;
}
