// What the version that has a request is told of it while it lasts: that its answer is awaited,
// that one stays open for long, and, exactly once, how it ended.
import type { LongStream } from './long-streams.ts';
import { RequestRecord } from './request-record.ts';

export abstract class VersionReport extends RequestRecord {
  #ended = false;
  #isAwaited = false;
  #stream: LongStream | null = null;

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** The client has sent all that an answer needs; until then its slowness would be taken for the version's. */
  protected awaitAnswer(): void {
    if (this.#isAwaited || this.#ended) return;
    this.#isAwaited = true;
    this.live!.probe.awaited();
  }

  /** The answer is here, or the version is not asked any more. */
  protected stopAwaiting(): void {
    if (this.#isAwaited) this.live!.probe.unawaited();
    this.#isAwaited = false;
  }

  /** The version has answered with what stays open for long; `withdraw` ends it before its time. */
  protected beginStream(withdraw: () => void): void {
    const { rollout, decided, live, facts } = this;
    this.#stream = { rollout: rollout!, decided: decided!.name, servedBy: live!.version.name, facts, withdraw };
    live!.probe.streamOpened();
    this.setting.streams.opened(this.#stream);
  }

  /** Reports the outcome; a second call does nothing. */
  protected end(durationMs: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.durationMs = durationMs;
    if (this.#stream !== null) {
      this.setting.streams.closed(this.#stream);
      this.live!.probe.streamClosed();
    }
    if (this.live !== null) {
      this.stopAwaiting();
      this.leaveVersion();
      this.live.probe.finished(this);
    }
    this.setting.finished(this);
    this.livePolicy.letGo();
  }

  /** No server of the version is asked any more. */
  protected abstract leaveVersion(): void;
}
