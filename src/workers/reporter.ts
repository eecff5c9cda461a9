// What a worker says upwards, gathered and sent twenty times a second as one message. Nothing is sent while nothing happens, nor
// while the control process has not taken the message before.
import type { Observation } from '../rollout/observation.ts';
import type { TallyBook } from '../telemetry/tally-book.ts';
import { type Gauges, takeDelta, type TallyDelta } from '../telemetry/tally-delta.ts';
import type { Tally } from '../telemetry/tally.ts';
import type { Report, Usage } from './messages.ts';
import { ObservationWriter } from './observation-codec.ts';
import type { Saying } from './plain-verbs.ts';

const everyMs = 50;
const usageEveryMs = 1_000;
/** While the control process takes nothing, so much waits; what comes then is left out, but for the tallies. */
const mostWaitingBytes = 33_554_432;
const mostWaitingSayings = 100_000;

/** Sends a report and calls back when it has been taken, or never will be. */
export type SendReport = (report: Report, taken: () => void) => void;

export class Reporter {
  readonly #book: TallyBook;
  readonly #send: SendReport;
  readonly #observations = new ObservationWriter();
  readonly #gauges = new WeakMap<Tally, Gauges>();
  #said: Saying[] = [];
  #lines: string[] = [];
  #lineLength = 0;
  #usedAtMs = -Infinity;
  #isUnderWay = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(book: TallyBook, send: SendReport) {
    this.#book = book;
    this.#send = send;
  }

  start(): void {
    this.#timer = setInterval(() => this.#report(), everyMs);
  }

  /** Sends what there is, whatever is under way. */
  handOver(): void {
    const report = this.#take();
    if (!isEmpty(report)) this.#send(report, () => undefined);
  }

  /** Sends what there is, whatever is under way; nothing is sent after it. */
  stop(): Promise<void> {
    clearInterval(this.#timer);
    return new Promise((resolve) => {
      this.#send(this.#take(), resolve);
    });
  }

  assigned(number: number, split: number, assignment: Parameters<ObservationWriter['assigned']>[2]): void {
    if (this.#hasRoom) this.#observations.assigned(number, split, assignment);
  }

  observed(number: number, observation: Observation): void {
    if (this.#hasRoom) this.#observations.observed(number, observation);
  }

  say(saying: Saying): void {
    if (this.#said.length < mostWaitingSayings) this.#said.push(saying);
  }

  /** `line` ends with a line feed. */
  log(line: string): void {
    if (this.#lineLength + line.length > mostWaitingBytes) return;
    this.#lines.push(line);
    this.#lineLength += line.length;
  }

  get #hasRoom(): boolean {
    return this.#observations.byteLength < mostWaitingBytes;
  }

  #report(): void {
    if (this.#isUnderWay) return;
    const report = this.#take();
    if (isEmpty(report)) return;
    this.#isUnderWay = true;
    this.#send(report, () => (this.#isUnderWay = false));
  }

  #take(): Report {
    const report = {
      observations: this.#observations.take(),
      tallies: this.#book.all().flatMap((tally) => this.#takeDelta(tally) ?? []),
      said: this.#said,
      log: this.#lines.join(''),
      usage: this.#takeUsage(),
    };
    this.#said = [];
    this.#lines = [];
    this.#lineLength = 0;
    return report;
  }

  #takeDelta(tally: Tally): TallyDelta | null {
    const delta = takeDelta(tally, this.#gauges.get(tally));
    if (delta !== null) this.#gauges.set(tally, delta.gauges);
    return delta;
  }

  #takeUsage(): Usage | null {
    const nowMs = performance.now();
    if (nowMs - this.#usedAtMs < usageEveryMs) return null;
    this.#usedAtMs = nowMs;
    const { user, system } = process.cpuUsage();
    return { cpuSeconds: (user + system) / 1_000_000, residentBytes: process.memoryUsage.rss() };
  }
}

function isEmpty({ observations, tallies, said, log, usage }: Report): boolean {
  return observations.length === 0 && tallies.length === 0 && said.length === 0 && log.length === 0 && usage === null;
}
