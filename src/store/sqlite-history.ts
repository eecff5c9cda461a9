// `HistoryStore` on the part of the embedded store that keeps figures: gathered on the way in, read page by page on the way out.

import { resolutionMs } from './figures.ts';
import type { HistoryBuffer, WriteOutcome } from './history-buffer.ts';
import type { HistoryPage } from './history-table.ts';
import type { HistoryPoint, HistoryResolution, HistorySlice, HistoryStore } from './history-store.ts';
import type { StorePart } from './store-part.ts';
import type { HistoryVerbs } from './worker-verbs.ts';

/** Points in one message: unpacking one must not hold up the traffic on the main thread. */
const PAGE_POINT_COUNT = 200;

const resolutionByMs = new Map<number, HistoryResolution>([
  [resolutionMs.second, 'second'],
  [resolutionMs.minute, 'minute'],
  [resolutionMs.hour, 'hour'],
]);

/** The verbs; a query writes first what waits in the buffer, so that it sees what was appended. */
export function sqliteHistory(part: StorePart<HistoryVerbs>, buffer: HistoryBuffer): HistoryStore {
  return {
    async append(slices) {
      buffer.append(slices);
    },
    async query({ rollout, sinceMs, resolution }) {
      await part.opened;
      await buffer.flush();
      const points: HistoryPoint[] = [];
      const read = { rollout, sinceMs, widthMs: resolutionMs[resolution], maxPointCount: PAGE_POINT_COUNT };
      let page: HistoryPage = { points: [], nextMs: null };
      do {
        page = await part.call('queryPage', { ...read, fromMs: page.nextMs });
        for (const { widthMs, ...point } of page.points) {
          points.push({ ...point, resolution: resolutionByMs.get(widthMs) ?? resolution });
        }
      } while (page.nextMs !== null);
      return points;
    },
    async rollUp({ nowMs }) {
      await buffer.flush();
      let isDone = false;
      while (!isDone) ({ isDone } = await part.call('rollUpStep', nowMs));
    },
  };
}

/** Writes one batch and says what became of it; a batch that the table itself refuses is lost, lest it come back for ever. */
export async function writeSlices(
  part: StorePart<HistoryVerbs>,
  slices: readonly HistorySlice[],
): Promise<WriteOutcome> {
  const answer = await part.ask('appendSlices', slices);
  if (answer.kind === 'done') return 'written';
  return answer.kind === 'refused' && answer.failure.code !== 'internal' ? 'refused' : 'lost';
}
