// The way of one request from what it says to the version that gets it: is it sound, whose is it, who sent it.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import { decide, type Decision } from '../rollout/decide.ts';
import { matchRollout } from '../rollout/matching.ts';
import type { Objection } from './admission.ts';
import type { RequestFacts } from './facts.ts';
import type { LivePolicy, LiveRollout } from './live-policy.ts';
import type { RequestLike } from './raw-headers.ts';
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
  /** What is to be said against the request; null for a sound one. */
  readonly objection: Objection | null;
  /** Told of what nobody foresaw; the request gets 500, the others go on. */
  failed(error: unknown): void;
};

/** A request of HTTP/1.1 or 1.0 as the facts are read off it. */
export function requestLikeOf(request: IncomingMessage): RequestLike {
  const socket = request.socket as Socket & { encrypted?: boolean };
  return {
    method: request.method!,
    url: request.url!,
    rawHeaders: request.rawHeaders,
    remoteAddress: socket.remoteAddress ?? '',
    scheme: socket.encrypted === true ? 'https' : 'http',
  };
}

/** Refuses or forwards. Only a token that was not seen before makes it wait. */
export function route(routable: Routable, start: RouteStart): void {
  try {
    admit(routable, start);
  } catch (error) {
    giveUp(routable, start, error);
  }
}

function admit(routable: Routable, start: RouteStart): void {
  const { live, facts, objection } = start;
  if (objection !== null) return routable.refuse(objection.code, { ...objection, close: true });
  const matched = matchRollout(live.table, facts);
  if (matched === null) return routable.refuse('no-rollout');
  const liveRollout = live.rolloutOf(matched.rollout);
  const go = (): void => routable.forward(liveRollout, decide(matched, liveRollout.cell.current, facts));
  const { verifyToken } = liveRollout;
  const token = verifyToken === null ? null : bearerTokenOf(facts.header('authorization'));
  if (verifyToken === null || token === null) return go();
  const claims = verifyToken(token);
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
