// The days of a time zone. The zone's offset is asked of the platform once a quarter of an hour, not once an event.
const dayMs = 86_400_000;
/** No zone changes its offset at any other time than a quarter of an hour. */
const quarterMs = 900_000;
const keptCount = 4_096;

export type DayClock = {
  /** The number of the day that a time falls on; the next day's is one more. */
  dayOf(timeMs: number): number;
  /** When a day begins: at midnight, or as soon after it as the zone's clocks show that day. */
  startOf(day: number): number;
};

/** `timeZone` is an IANA name. Throws a RangeError for one that the platform does not know. */
export function createDayClock(timeZone: string): DayClock {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  const offsets = new Map<number, number>();

  function offsetAt(timeMs: number): number {
    const quarter = Math.floor(timeMs / quarterMs);
    const known = offsets.get(quarter);
    if (known !== undefined) return known;
    const offset = readOffset(format, quarter * quarterMs);
    if (offsets.size >= keptCount) offsets.clear();
    offsets.set(quarter, offset);
    return offset;
  }

  const dayOf = (timeMs: number): number => Math.floor((timeMs + offsetAt(timeMs)) / dayMs);

  return {
    dayOf,
    startOf(day) {
      const midnightMs = day * dayMs;
      // The offset before midnight or the one after it is the right one; where the clock skips midnight, the earlier day ends there.
      const candidates = [midnightMs - offsetAt(midnightMs - dayMs), midnightMs - offsetAt(midnightMs + dayMs)];
      const [early, late] = [Math.min(...candidates), Math.max(...candidates)];
      for (let startMs = early; startMs < late; startMs += quarterMs) if (dayOf(startMs) >= day) return startMs;
      return late;
    },
  };
}

/** Of `GMT`, `GMT+05:30` or `GMT-00:44:30`, in milliseconds. */
function readOffset(format: Intl.DateTimeFormat, timeMs: number): number {
  const name = format.formatToParts(timeMs).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const found = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name);
  if (found === null) throw new RangeError(`expected an offset such as GMT+08:00, got ${name}`);
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = found;
  const size = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
  return sign === '-' ? -size : size;
}
