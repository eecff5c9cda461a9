// The alerts of one target on their way, one at a time, so that a target that hangs keeps nobody else's waiting. Their order is the
// outbox's: it gives an alert of a rollout when the one before has gone.
import type { AuditEntry } from '../rollout/audit-entry.ts';
import type { AlertTarget } from '../rollout/policy.ts';
import { deliver, type Delivery } from './alert-delivery.ts';
import type { SignLink } from './alert-remedies.ts';

/** An alert in the outbox. `target` names the target without telling its address. */
export type AlertMessage = { readonly target: string; readonly entry: AuditEntry };

/** What the sender needs of the store's outbox, where alerts wait until they are delivered. */
export interface AlertOutbox {
  take(due: { nowMs: number; leaseMs: number; limit: number }): Promise<readonly DueAlert[]>;
  delivered(id: string): Promise<void>;
  failed(outcome: { id: string; nextAttemptMs: number | null; stepsAside: boolean }): Promise<void>;
}

export type DueAlert = {
  readonly id: string;
  readonly rollout: string;
  readonly createdMs: number;
  /** 1 for the first time. */
  readonly attempt: number;
  readonly alert: { readonly value: AlertMessage };
};

export interface AlertLogger {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** How long a target is given and how often it is tried; all in ms. */
export type AlertPace = {
  readonly timeoutMs: number;
  /** After the first failure; doubled after each further one. */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** From the change on. */
  readonly giveUpMs: number;
};

export type LaneParts = {
  readonly outbox: Pick<AlertOutbox, 'delivered' | 'failed'>;
  readonly logger: AlertLogger;
  readonly pace: AlertPace;
  /** The target in the policy in force; null: it is gone. */
  readonly target: () => AlertTarget | null;
  readonly nowMs: () => number;
  readonly signLink: SignLink;
  /** The lane has done what it can with an alert; where it is due again, then. The next of its queue may be due now. */
  readonly done: (id: string, dueMs: number | null) => void;
  /** No more attempts from now on. */
  readonly isClosing: () => boolean;
  /** Ends the attempt that is under way. */
  readonly stop: AbortSignal;
};

export class AlertLane {
  readonly #parts: LaneParts;
  readonly #queue: DueAlert[] = [];
  #working: Promise<void> | null = null;
  /** Until then nothing is tried, of whatever rollout: the target did not answer. */
  #deadUntilMs = 0;
  /** Delivered, but the store could not forget them yet. */
  readonly #arrived = new Set<string>();

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  /** Takes one more alert. */
  add(due: DueAlert): void {
    this.#queue.push(due);
    this.#working ??= this.#work();
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    for (let due = this.#queue.shift(); due !== undefined; due = this.#queue.shift()) {
      // A store that cannot take note now gives the alert again when its lease is over.
      const dueMs = await this.#handle(due).catch(() => null);
      this.#parts.done(due.id, dueMs);
    }
    this.#working = null;
  }

  /** Resolves with when the alert is due again; null: never, or nobody knows. */
  async #handle(due: DueAlert): Promise<number | null> {
    const { logger, nowMs, isClosing } = this.#parts;
    const { id, rollout } = due;
    if (this.#arrived.has(id)) return this.#arrive(due);
    if (isClosing()) return this.#postpone(id, nowMs());
    const target = this.#parts.target();
    if (target === null) {
      logger.warn({ alert: id, rollout }, 'an alert is dropped: the policy has its target no longer');
      return this.#giveUp(id);
    }
    if (this.#deadUntilMs > nowMs()) return this.#postpone(id, this.#deadUntilMs);
    const { entry } = due.alert.value;
    const { stop, pace, signLink } = this.#parts;
    const terms = { nowMs: nowMs(), signLink, timeoutMs: pace.timeoutMs, stop };
    const delivery = await deliver({ id, rollout, entry, target }, terms);
    if (delivery.kind === 'delivered') return this.#arrive(due);
    return stop.aborted ? this.#postpone(id, nowMs()) : this.#fail(due, delivery);
  }

  async #arrive({ id }: DueAlert): Promise<null> {
    this.#deadUntilMs = 0;
    this.#arrived.add(id);
    await this.#parts.outbox.delivered(id);
    this.#arrived.delete(id);
    return null;
  }

  async #fail(due: DueAlert, delivery: Exclude<Delivery, { kind: 'delivered' }>): Promise<number | null> {
    const { logger, pace, nowMs } = this.#parts;
    const { id, rollout, createdMs, attempt } = due;
    const lastMs = createdMs + pace.giveUpMs;
    const fields = { alert: id, rollout, attempt, detail: delivery.detail };
    if (nowMs() >= lastMs) {
      logger.error(fields, 'an alert is given up: it could not be delivered in time');
      return this.#giveUp(id);
    }
    const waitMs = Math.max(backOffMs(attempt, pace), Math.min(delivery.retryAfterMs ?? 0, pace.longestRetryMs));
    const nextMs = Math.min(nowMs() + waitMs, lastMs);
    if (delivery.kind === 'dead') this.#deadUntilMs = nextMs;
    logger.warn(
      { ...fields, nextAttempt: new Date(nextMs).toISOString() },
      'an alert was not delivered and is tried again',
    );
    return this.#postpone(id, nextMs, delivery.kind === 'refused');
  }

  async #postpone(id: string, nextAttemptMs: number, stepsAside = false): Promise<number> {
    await this.#parts.outbox.failed({ id, nextAttemptMs, stepsAside });
    return nextAttemptMs;
  }

  async #giveUp(id: string): Promise<null> {
    await this.#parts.outbox.failed({ id, nextAttemptMs: null, stepsAside: false });
    return null;
  }
}

/** Doubles from attempt to attempt; between half of it and all, so that gateways that failed together do not come back together. */
function backOffMs(attempt: number, { firstRetryMs, longestRetryMs }: AlertPace): number {
  const longest = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempt - 1, 30));
  return Math.ceil(longest * (0.5 + Math.random() / 2));
}
