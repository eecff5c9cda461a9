// What several workers think of the servers, as one: each asks and judges them by itself, and a server takes requests as long as one
// worker sends it some.
import type { ServerReport, ServerState } from '../rollout/server-report.ts';

/** Who says the first of these speaks for all. */
const states = [
  'up',
  'slow',
  'resolved',
  'stale',
  'ejected',
  'down',
  'unresolved',
  'gone',
] as const satisfies readonly ServerState[];

type Votes = { said: ServerState | null; readonly reports: Map<number, ServerReport> };

export class ServerVotes {
  readonly #changed: (report: ServerReport) => void;
  readonly #servers = new Map<string, Votes>();

  /** `changed` is told when all together think otherwise than before. */
  constructor(changed: (report: ServerReport) => void) {
    this.#changed = changed;
  }

  report(worker: number, report: ServerReport): void {
    const key = [report.rollout, report.version, report.server, report.address].join(' ');
    let votes = this.#servers.get(key);
    if (votes === undefined) this.#servers.set(key, (votes = { said: null, reports: new Map() }));
    votes.reports.set(worker, report);
    this.#count(key, votes);
  }

  /** The worker's opinions are gone with it. A server that it alone knew is so too. */
  forget(worker: number): void {
    for (const [key, votes] of this.#servers) {
      const own = votes.reports.get(worker);
      if (own === undefined) continue;
      if (votes.reports.size > 1) votes.reports.delete(worker);
      else votes.reports.set(worker, { ...own, state: 'gone', reason: null });
      this.#count(key, votes);
    }
  }

  #count(key: string, votes: Votes): void {
    const [best] = [...votes.reports.values()].toSorted((a, b) => rankOf(a) - rankOf(b));
    if (best!.state === 'gone') this.#servers.delete(key);
    if (best!.state === votes.said) return;
    votes.said = best!.state;
    this.#changed(best!);
  }
}

function rankOf({ state }: ServerReport): number {
  return states.indexOf(state);
}
