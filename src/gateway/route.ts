// The way of one request from what it says to the version that gets it: is it sound, whose is it, who sent it.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import type { CompiledRollout } from '../rollout/compiled-rollout.ts';
import { decide, type Decision } from '../rollout/decide.ts';
import { matchRollout } from '../rollout/matching.ts';
import type { Objection } from './admission.ts';
import type { Claims } from './facts.ts';
import type { LiveRollout } from './live-policy.ts';
import type { RequestLike } from './raw-headers.ts';
import type { RequestRecord } from './request-record.ts';
import { bearerTokenOf } from './tokens.ts';

/** Either kind of request, from here on. */
export interface Routable {
  readonly record: RequestRecord;
  refuse(code: ErrorCode, options?: { detail?: string; close?: boolean }): void;
  forward(rollout: LiveRollout, decision: Decision): void;
}

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

/** Refuses what there is an objection to, and forwards the rest. Only a token that was not seen before makes it wait. */
export function route(routable: Routable, objection: Objection | null): void {
  try {
    if (objection === null) admit(routable);
    else routable.refuse(objection.code, { ...objection, close: true });
  } catch (error) {
    giveUp(routable, error);
  }
}

function admit(routable: Routable): void {
  const { livePolicy, facts } = routable.record;
  const matched = matchRollout(livePolicy.table, facts);
  if (matched === null) return routable.refuse('no-rollout');
  const liveRollout = livePolicy.rolloutOf(matched.rollout);
  const { verifyToken } = liveRollout;
  const token = verifyToken === null ? null : bearerTokenOf(facts.header('authorization'));
  if (verifyToken === null || token === null) return send(routable, matched, liveRollout);
  const claims = verifyToken(token);
  if (claims instanceof Promise) return void sendVerified({ routable, matched, liveRollout }, claims);
  facts.claims = claims;
  send(routable, matched, liveRollout);
}

function send(routable: Routable, matched: CompiledRollout, liveRollout: LiveRollout): void {
  routable.forward(liveRollout, decide(matched, liveRollout.cell.current, routable.record.facts));
}

type Matched = { readonly routable: Routable; readonly matched: CompiledRollout; readonly liveRollout: LiveRollout };

async function sendVerified(
  { routable, matched, liveRollout }: Matched,
  claims: Promise<Claims | null>,
): Promise<void> {
  try {
    routable.record.facts.claims = await claims;
    // The client may have left meanwhile.
    if (routable.record.isOpen) send(routable, matched, liveRollout);
  } catch (error) {
    giveUp(routable, error);
  }
}

function giveUp(routable: Routable, error: unknown): void {
  routable.record.setting.failed(error);
  routable.refuse('internal', { close: true });
}
