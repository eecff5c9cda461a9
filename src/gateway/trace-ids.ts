// IDs of requests and traces. Random hex is drawn from a pool, so that a request does not cost a call into the kernel.
import { randomFillSync } from 'node:crypto';

const pool = Buffer.allocUnsafeSlow(4_096);
let poolHex = '';
let taken = 0;

/** `digits` random hex digits; never used for secrets that outlive the request. */
export function randomHex(digits: number): string {
  if (taken + digits > poolHex.length) {
    poolHex = randomFillSync(pool).toString('hex');
    taken = 0;
  }
  taken += digits;
  return poolHex.slice(taken - digits, taken);
}

/** A new trace with the sampled flag set, as if no gateway stood in front of a server that samples every trace it begins. */
export function newTraceparent(): string {
  return `00-${randomHex(32)}-${randomHex(16)}-01`;
}

/** Whether it names a trace (W3C Trace Context, 3.2): version, trace ID, parent ID and flags, the IDs not all zero. */
export function isTraceparent(value: string): boolean {
  return (
    value.length >= 55 &&
    /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/.test(value) &&
    (!value.startsWith('00') || value.length === 55)
  );
}
