// The rollouts as the routes ask for them: found by name, shown, and moved for somebody. Refusals come as a GraygateError.
import { GraygateError, type ErrorCode } from '../errors.ts';
import type { ActionRequest, ActionResult } from '../rollout/action-request.ts';
import type { AdminParts, RolloutView } from './admin-parts.ts';
import { rolloutShape, type ShownRollout } from './contract.ts';
import { showRollout } from './show-rollout.ts';

type Parts = Pick<AdminParts, 'rollouts' | 'servers'>;

const codeOf: Readonly<Record<Extract<ActionResult, { ok: false }>['code'], ErrorCode>> = {
  phase: 'phase-conflict',
  blocked: 'blocked-by-evidence',
  stale: 'stale-revision',
  store: 'store-unavailable',
};

/** Every rollout as it is shown. Throws `store-unavailable` while nobody knows where they stand. */
export function showAll(parts: Parts, nowMs: number): ShownRollout[] {
  return viewsOf(parts).map((view) => showRollout(view, parts.servers, nowMs));
}

/** One rollout as it is shown, with nothing that the contract does not name. Throws `unknown-rollout`. */
export function showOne(parts: Parts, name: string, nowMs: number): ShownRollout {
  return rolloutShape.parse(showRollout(viewOf(parts, name), parts.servers, nowMs));
}

/** One rollout as the controller has it. Throws `unknown-rollout`. */
export function viewOf(parts: Pick<Parts, 'rollouts'>, name: string): RolloutView {
  const view = viewsOf(parts).find(({ rollout }) => rollout.name === name);
  if (view !== undefined) return view;
  throw new GraygateError('unknown-rollout', `there is no rollout "${name}"`);
}

/** Moves a rollout; what is not done is thrown with its reason. */
export async function actOrThrow(parts: Pick<Parts, 'rollouts'>, name: string, request: ActionRequest): Promise<void> {
  const result = await parts.rollouts.act(name, request);
  if (result === null) throw new GraygateError('unknown-rollout', `there is no rollout "${name}"`);
  if (!result.ok) throw new GraygateError(codeOf[result.code], result.reason);
}

/** A revision as an entity tag. */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

/** Throws `stale-revision` unless the rollout is at one of the revisions. */
export function requireRevision({ state }: RolloutView, revisions: readonly number[]): number {
  const current = state?.revision ?? 0;
  if (revisions.includes(current)) return current;
  throw new GraygateError(
    'stale-revision',
    `the rollout is at revision ${current} now, not at ${revisions.join(' or ') || 'any that was named'}`,
  );
}

function viewsOf({ rollouts }: Pick<Parts, 'rollouts'>): readonly RolloutView[] {
  const views = rollouts.views();
  if (views !== null) return views;
  throw new GraygateError('store-unavailable', 'the store has not said yet where the rollouts stand');
}
