// Alerts: what is to be told of a change, and the sender that empties the outbox. At least once, over restarts; whoever does not
// answer delays nobody else.
import type { AuditEntry } from '../rollout/audit-entry.ts';
import type { AlertTarget } from '../rollout/policy.ts';
import {
  AlertLane,
  type AlertLogger,
  type AlertMessage as Message,
  type AlertOutbox,
  type AlertPace,
  type DueAlert,
} from './alert-lane.ts';
import type { SignLink } from './alert-remedies.ts';
import { shortHash, targetKey } from './alert-target.ts';

/** An alert as the outbox keeps it; JSON, without the target's address and secret. */
export type AlertMessage = Message;

export type AlertSenderParts = {
  /** Those of the policy in force. */
  targets(): readonly AlertTarget[];
  readonly signLink: SignLink;
  readonly logger: AlertLogger;
  readonly nowMs?: () => number;
  readonly pace?: AlertPace;
};

/** An alert is tried for a day, at last every five minutes. */
export const alertPace: AlertPace = {
  timeoutMs: 10_000,
  firstRetryMs: 1_000,
  longestRetryMs: 5 * 60_000,
  giveUpMs: 24 * 60 * 60_000,
};

const leaseMs = 60_000;
const takenAtOnce = 100;
/** For what another process left behind; what this one knows of is not waited for. */
const lookEveryMs = 5_000;
/** What an attempt under way is given when the sender is closed. */
const closeWithinMs = 2_000;

/**
 * The alerts of one change: one for each target that wants to hear of it. The id depends on the change and the target only,
 * so that a change which is saved again is told once. A rollout's alerts to one target are a queue.
 */
export function messagesFor(
  targets: readonly AlertTarget[],
  rollout: string,
  entry: AuditEntry,
): { id: string; queue: string; message: AlertMessage }[] {
  const { alert, revision, kind, atMs, release } = entry;
  if (alert === null) return [];
  const keys = new Set(targets.filter(({ on }) => on.includes(alert)).map(targetKey));
  return Array.from(keys, (target) => {
    const change = shortHash(JSON.stringify([rollout, revision, kind, atMs, release, target]));
    return { id: `${rollout}-${revision}-${change}`, queue: `${rollout} ${target}`, message: { target, entry } };
  });
}

/** Sends what the outbox holds, to every target at its own pace. */
export class AlertSender {
  readonly #outbox: AlertOutbox;
  readonly #parts: Required<AlertSenderParts>;
  readonly #lanes = new Map<string, AlertLane>();
  /** What a lane has; the store gives it again when its lease is over, and then it is not taken twice. */
  readonly #inHand = new Set<string>();
  readonly #stop = new AbortController();
  #isClosing = false;
  #isPoked = false;
  #collecting: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #wakeMs = Infinity;

  constructor(outbox: AlertOutbox, parts: AlertSenderParts) {
    this.#outbox = outbox;
    this.#parts = { nowMs: Date.now, pace: alertPace, ...parts };
  }

  /** There may be something to send. From the first call on the sender looks by itself, too. */
  poke(): void {
    if (this.#isClosing) return;
    this.#isPoked = true;
    this.#collecting ??= this.#collect();
  }

  /** Gives what is under way a moment; everything else stays in the outbox, due at once. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    const deadline = setTimeout(() => this.#stop.abort(), closeWithinMs);
    await this.#collecting;
    await Promise.all(Array.from(this.#lanes.values(), (lane) => lane.idle()));
    clearTimeout(deadline);
  }

  async #collect(): Promise<void> {
    while (this.#isPoked && !this.#isClosing) {
      this.#isPoked = false;
      const nowMs = this.#parts.nowMs();
      // A store that is not well says so by itself.
      const taken = await this.#outbox.take({ nowMs, leaseMs, limit: takenAtOnce }).catch(() => []);
      for (const each of taken) this.#hand(each);
      this.#isPoked ||= taken.length === takenAtOnce;
    }
    this.#collecting = null;
    this.#wakeAt(this.#parts.nowMs() + lookEveryMs);
  }

  #hand(due: DueAlert): void {
    if (this.#inHand.has(due.id)) return;
    this.#inHand.add(due.id);
    const key = due.alert.value.target;
    let lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, (lane = this.#openLane(key)));
    lane.add(due);
  }

  #openLane(key: string): AlertLane {
    const { logger, pace, nowMs, targets, signLink } = this.#parts;
    return new AlertLane({
      outbox: this.#outbox,
      logger,
      pace,
      nowMs,
      signLink,
      target: () => targets().find((target) => targetKey(target) === key) ?? null,
      done: (id, dueMs) => {
        this.#inHand.delete(id);
        if (dueMs !== null) this.#wakeAt(dueMs);
        this.poke();
      },
      isClosing: () => this.#isClosing,
      stop: this.#stop.signal,
    });
  }

  #wakeAt(wakeMs: number): void {
    if (this.#isClosing || wakeMs >= this.#wakeMs) return;
    this.#wakeMs = wakeMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#wakeMs = Infinity;
        this.poke();
      },
      Math.max(0, wakeMs - this.#parts.nowMs()),
    );
  }
}
