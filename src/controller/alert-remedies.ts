// What a person who gets an alert may do about it: commands, and links that act.
import type { AuditEntry } from '../rollout/audit-entry.ts';
import type { AlertTarget } from '../rollout/policy.ts';
import type { ActionKind } from '../rollout/rollout-event.ts';
import type { Phase } from '../rollout/rollout-state.ts';
import type { ActionLink, LinkedAction } from './action-link.ts';
import { targetKey } from './alert-target.ts';

/** An alert on its way: what was stored, and who gets it. */
export type Letter = {
  /** The same for every attempt. */
  readonly id: string;
  readonly rollout: string;
  readonly entry: AuditEntry;
  readonly target: AlertTarget;
};

/** Makes the token of a link. */
export type SignLink = (link: ActionLink) => string;

/** When an attempt is made, and what signs its links. */
export type LinkTerms = { readonly nowMs: number; readonly signLink: SignLink };

/** What the receiver may do: a command each, and links where the target has an address for them. */
export type Remedies = { readonly commands: readonly string[]; readonly links: AlertLinks };

/** `rollout`: the rollout in the admin API. */
export type AlertLinks = Readonly<Partial<Record<LinkedAction | 'rollout', string>>>;

/** How long a link works, from the change on. */
export const linkLifetimeMs = 24 * 60 * 60_000;

/** What can be done about a change. Links that have expired are left out. */
export function remediesOf(letter: Letter, terms: LinkTerms): Remedies {
  const { rollout, entry } = letter;
  const actions = actionsAfter(entry);
  const commands = actions.map((action) => `graygate ${action} ${rollout} --reason "…"`);
  return { commands, links: linksOf(letter, actions, terms) };
}

const actionsIn: Readonly<Record<Phase, readonly ActionKind[]>> = {
  steady: ['rollback'],
  progressing: ['rollback'],
  waiting: ['approve', 'rollback'],
  paused: ['resume', 'rollback'],
  baking: ['rollback'],
  promoted: ['rollback'],
  'rolled-back': ['retry'],
};

function actionsAfter({ alert, to }: AuditEntry): readonly ActionKind[] {
  return alert === 'timed-out' ? ['advance', 'rollback'] : actionsIn[to.phase];
}

function linksOf(
  { id, rollout, entry, target }: Letter,
  actions: readonly ActionKind[],
  { nowMs, signLink }: LinkTerms,
): AlertLinks {
  const { approveUrl, url } = target;
  if (approveUrl === null) return {};
  const base = approveUrl.replace(/\/+$/, '');
  const expiresMs = entry.atMs + linkLifetimeMs;
  const links: Partial<Record<keyof AlertLinks, string>> = { rollout: `${base}/api/v1/rollouts/${rollout}` };
  if (nowMs >= expiresMs) return links;
  const { release, revision } = entry;
  const by = `link sent to ${new URL(url).host}`;
  for (const action of actions.filter(isLinked)) {
    const about = { rollout, action, release, revision, expiresMs, by };
    const token = signLink({ id: `${id}-${action}`, target: targetKey(target), ...about });
    links[action] = `${base}/api/v1/links/${token}`;
  }
  return links;
}

function isLinked(action: ActionKind): action is LinkedAction {
  return action === 'approve' || action === 'rollback';
}
