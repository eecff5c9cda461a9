// What the gateway says of the business: who was exposed to which version, and what users did. Looks on at the requests of the
// rollouts that have events; a policy without any costs nothing.
import { readsClaims } from '../../rollout/claims.ts';
import type { BusinessEvent, Exposure } from '../../rollout/experiment.ts';
import type { Policy, Rollout } from '../../rollout/policy.ts';
import type { SplitCell } from '../../rollout/split.ts';
import type { AnswerTap, Onlooker, WatchedRequest } from '../answer-tap.ts';
import { EventMatcher } from './event-matcher.ts';
import { EventTap, type Doing, type TapParts, type UnreadEvent } from './event-tap.ts';
import { ExposureNotes } from './exposure-notes.ts';
import { JsonAnswers } from './json-answers.ts';
import { SeenToday } from './seen-today.ts';
import { doerOf, rulesWatchedIn, type WatchedRule } from './watched-rules.ts';

export type BusinessParts = {
  cellOf(rollout: Rollout): SplitCell;
  exposed(exposure: Exposure): void;
  happened(event: BusinessEvent): void;
  unread(event: UnreadEvent): void;
};

/** The onlookers of one policy. */
export type PolicyWatch = {
  /** Null: no request of the rollout can be an event. */
  onlookerOf(rollout: Rollout): Onlooker | null;
  /** Null: nobody counts the users of the rollout. */
  notesOf(rollout: Rollout): ExposureNotes | null;
};

export class BusinessWatch {
  readonly #parts: BusinessParts;
  readonly #answers = new JsonAnswers();
  readonly #nowMs: () => number;
  /** Outlives the policies, so that a reload does not say everything again; null before there is an experiment. */
  #seen: SeenToday | null = null;

  constructor(parts: BusinessParts, nowMs: () => number = Date.now) {
    this.#parts = parts;
    this.#nowMs = nowMs;
  }

  /** Prepares a policy. */
  over(policy: Pick<Policy, 'rollouts'>): PolicyWatch {
    const parts = this.#parts;
    const nowMs = this.#nowMs;
    const tapParts: TapParts = {
      answers: this.#answers,
      nowMs,
      happened: (event) => parts.happened(event),
      unread: (event) => parts.unread(event),
    };
    return {
      onlookerOf(rollout) {
        const rules = rulesWatchedIn(rollout, policy);
        return rules.length === 0 ? null : new EventOnlooker(rules, tapParts);
      },
      notesOf: (rollout) => {
        if (rollout.experiment === null) return null;
        const seen = (this.#seen ??= new SeenToday());
        const exposed = (exposure: Exposure): void => parts.exposed(exposure);
        return new ExposureNotes(rollout, rollout.experiment, { cell: parts.cellOf(rollout), seen, nowMs, exposed });
      },
    };
  }

  /** Says what still waits to be read. */
  async finish(): Promise<void> {
    await this.#answers.finish();
  }
}

class EventOnlooker implements Onlooker {
  readonly needsClaims: boolean;
  readonly #matcher: EventMatcher<WatchedRule>;
  readonly #parts: TapParts;

  constructor(rules: readonly WatchedRule[], parts: TapParts) {
    this.needsClaims = rules.some(({ of }) => readsClaims(of.rollout));
    this.#matcher = new EventMatcher(rules);
    this.#parts = parts;
  }

  watch(request: WatchedRequest): AnswerTap | null {
    const fitting = this.#matcher.fitting(request.facts.method, request.facts.path);
    if (fitting === undefined) return null;
    const doings: Doing[] = [];
    for (const rule of fitting) {
      const user = doerOf(rule, request);
      if (user !== null) doings.push({ ...rule, user });
    }
    return doings.length === 0 ? null : new EventTap(request, doings, this.#parts);
  }
}
