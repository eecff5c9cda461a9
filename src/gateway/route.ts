// The way of one request from what it says to the version that gets it: is it sound, whose is it, who sent it.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import { decide, type Decision } from '../rollout/decide.ts';
import { matchRollout } from '../rollout/matching.ts';
import type { Policy } from '../rollout/policy.ts';
import { findAmbiguity, hasUnknownExpectation } from './admission.ts';
import { RequestFacts } from './facts.ts';
import type { LivePolicy, LiveRollout } from './live-policy.ts';
import { bearerTokenOf } from './tokens.ts';

/** Either kind of request, from here on. */
export interface Routable {
  readonly isOpen: boolean;
  refuse(code: ErrorCode, options?: { detail?: string; close?: boolean }): void;
  forward(rollout: LiveRollout, decision: Decision): void;
}

export type RouteStart = {
  readonly live: LivePolicy;
  readonly facts: RequestFacts;
  /** Told of what nobody foresaw; the request gets 500, the others go on. */
  failed(error: unknown): void;
};

/** What a request says, not yet read. */
export function factsOf(request: IncomingMessage, policy: Policy): RequestFacts {
  const socket = request.socket as Socket & { encrypted?: boolean };
  return new RequestFacts(
    {
      method: request.method!,
      url: request.url!,
      rawHeaders: request.rawHeaders,
      remoteAddress: socket.remoteAddress ?? '',
      scheme: socket.encrypted === true ? 'https' : 'http',
    },
    policy.trustedProxies,
  );
}

/** Refuses or forwards. Only a token that was not seen before makes it wait. */
export function route(routable: Routable, request: IncomingMessage, start: RouteStart): void {
  try {
    admit(routable, request, start);
  } catch (error) {
    giveUp(routable, start, error);
  }
}

function admit(routable: Routable, request: IncomingMessage, start: RouteStart): void {
  const { live, facts } = start;
  const ambiguity = findAmbiguity(request);
  if (ambiguity !== null) return routable.refuse('malformed-request', { detail: ambiguity, close: true });
  if (hasUnknownExpectation(request)) return routable.refuse('expectation-failed', { close: true });
  const matched = matchRollout(live.table, facts);
  if (matched === null) return routable.refuse('no-rollout');
  const liveRollout = live.rolloutOf(matched.rollout);
  const go = (): void => routable.forward(liveRollout, decide(matched, liveRollout.cell.current, facts));
  // A token is looked at only where a claim decides something.
  const token = matched.needsClaims ? bearerTokenOf(facts.header('authorization')) : null;
  if (token === null) return go();
  const claims = liveRollout.verifyToken!(token);
  if (!(claims instanceof Promise)) {
    facts.claims = claims;
    return go();
  }
  void goOnWith(claims).catch((error: unknown) => giveUp(routable, start, error));

  async function goOnWith(verifying: typeof claims): Promise<void> {
    facts.claims = await verifying;
    // The client may have left meanwhile.
    if (routable.isOpen) go();
  }
}

function giveUp(routable: Routable, start: RouteStart, error: unknown): void {
  start.failed(error);
  routable.refuse('internal', { close: true });
}
