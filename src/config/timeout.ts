// A duration that a timer can wait for.
import { parseDuration } from './quantities.ts';
import { refused } from './reading.ts';
import { written } from './schema-kit.ts';

/** The longest that the platform's timers can wait is a little more. */
const longestTimeoutMs = 24 * 86_400_000;

/** 1 ms to 24 days. */
export function timeout() {
  return written((value) => {
    const duration = parseDuration(value);
    if (!duration.ok || (duration.value >= 1 && duration.value <= longestTimeoutMs)) return duration;
    return refused('is out of range', 'write a duration from 1ms to 24d');
  }, 'a duration such as 30s');
}
