// Who looks on while a request is answered (events, mirror): sees what the user gets, and can neither change nor delay it.
import type { Decision } from '../rollout/decide.ts';
import type { RequestFacts } from './facts.ts';

/** What an onlooker may know of a request. */
export type WatchedRequest = {
  readonly facts: RequestFacts;
  readonly rawHeaders: readonly string[];
  readonly requestId: string;
  readonly decision: Decision;
};

/** Asked once a request of its rollout, after the decision; null: it does not want to look. Prepared at load. */
export interface Onlooker {
  /** It reads claims: tokens must be verified before it is asked. */
  readonly needsClaims: boolean;
  watch(request: WatchedRequest): AnswerTap | null;
}

/** Called in this order; must not throw. */
export interface AnswerTap {
  /** A piece of the request's body went to the server. */
  sent(chunk: Buffer): void;
  /** The head that the user gets; graygate's own refusals included. */
  head(status: number, rawHeaders: readonly string[]): void;
  data(chunk: Buffer): void;
  /** Once, last; without `head` where the client left before. `isWhole`: the answer went out to its end. */
  end(isWhole: boolean): void;
}
