// Asks one server how it is, again and again, each time on a connection of its own: what stands already says nothing of whether
// the server still accepts any, and a kept connection may be closed the moment it is used.
import type { HealthCheck } from '../../rollout/serving.ts';
import type { AnswerHandler, UpstreamClient, UpstreamRequest } from '../upstream/upstream-client.ts';
import { isGoodStatus } from './health-run.ts';

/** Checks come up to this part sooner or later, so that servers are not all asked at the same moment. */
const jitterRatio = 0.1;

export type CheckerParts = {
  readonly check: HealthCheck;
  /** `Host` of the checks. */
  readonly host: string;
  /** A client without connections. */
  connect(): UpstreamClient;
  /** Whether the answer was good, and in a few words what it was. */
  checked(isGood: boolean, answer: string): void;
};

export class HealthChecker {
  readonly check: HealthCheck;
  readonly #parts: CheckerParts;
  readonly #request: UpstreamRequest;
  #client: UpstreamClient | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** Asks at once. */
  constructor(parts: CheckerParts) {
    this.check = parts.check;
    this.#parts = parts;
    this.#request = {
      method: 'GET',
      path: parts.check.path,
      headers: ['Host', parts.host, 'User-Agent', 'graygate-health', 'Accept', '*/*'],
      body: null,
    };
    this.#ask();
  }

  stop(): void {
    clearTimeout(this.#timer);
    const client = this.#client;
    // What its end makes of the check under way is no answer any more.
    this.#client = null;
    client?.destroy();
  }

  #ask(): void {
    const { everyMs, timeoutMs } = this.check;
    const client = this.#parts.connect();
    this.#client = client;
    this.#timer = setTimeout(() => end(false, `no answer within ${timeoutMs} ms`), timeoutMs);
    const end = (isGood: boolean, answer: string): void => {
      if (this.#client !== client) return;
      this.#client = null;
      clearTimeout(this.#timer);
      client.destroy();
      const waitMs = everyMs * (1 + jitterRatio * (2 * Math.random() - 1));
      this.#timer = setTimeout(() => this.#ask(), waitMs);
      this.#timer.unref();
      this.#parts.checked(isGood, answer);
    };
    client.send(this.#request, handlerOf(end));
  }
}

/** The head is the answer; nobody waits for the rest. */
function handlerOf(end: (isGood: boolean, answer: string) => void): AnswerHandler {
  return {
    onSent: () => undefined,
    onInterim: () => undefined,
    onHead: (status) => end(isGoodStatus(status), `status ${status}`),
    onData: () => true,
    onComplete: () => undefined,
    onFailed: (kind) => end(false, kind),
  };
}
