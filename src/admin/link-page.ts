// The pages behind a signed link: what it would do, and what became of it. Self-contained: no script, nothing from elsewhere.
import { createHash } from 'node:crypto';
import { errorTable, type ErrorCode } from '../errors.ts';
import { maxReasonLength } from './contract.ts';
import { escapeHtml } from './escape-html.ts';

export type LinkFacts = {
  readonly action: string;
  readonly rollout: string;
  readonly release: string;
  /** Where the rollout is now: `canary at 5 % (waiting)`. */
  readonly place: string;
  /** Why it is there. */
  readonly reason: string;
  readonly expiresMs: number;
};

const style = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:36rem;margin:10vh auto;padding:0 1rem}
dt{opacity:.7}dd{margin:0 0 .75rem;overflow-wrap:anywhere}input{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;margin:.25rem 0 1rem}
button{font:inherit;font-weight:600;padding:.6rem 1.5rem}`;

/** Of every page here: its own style and its own form, nothing else, and in nobody's frame. */
export const linkPagePolicy = [
  `default-src 'none'`,
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  `form-action 'self'`,
  `base-uri 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

const verbs: Readonly<Record<string, string>> = { rollback: 'Roll back', 'step-back': 'Step back' };

/** Asks whether to do it; the form comes back to the same address. */
export function confirmPage(facts: LinkFacts): string {
  const verb = verbOf(facts.action);
  return page(
    `${verb} ${facts.rollout}?`,
    `<dl>
<dt>Rollout</dt><dd>${escapeHtml(facts.rollout)}, release ${escapeHtml(facts.release)}</dd>
<dt>Now</dt><dd>${escapeHtml(facts.place)}</dd>
<dt>Why</dt><dd>${escapeHtml(facts.reason)}</dd>
<dt>The link works until</dt><dd>${new Date(facts.expiresMs).toISOString()}, once</dd>
</dl>
<form method="post">
<label>Reason, for the audit log (optional)<input name="reason" maxlength="${maxReasonLength}" autocomplete="off"></label>
<button>${escapeHtml(verb)}</button>
</form>`,
  );
}

/** It is done. */
export function donePage({ action, rollout, place, reason }: Omit<LinkFacts, 'expiresMs'>): string {
  return page(
    `Done: ${verbOf(action).toLowerCase()}`,
    `<dl>
<dt>Rollout</dt><dd>${escapeHtml(rollout)}</dd>
<dt>Now</dt><dd>${escapeHtml(place)}</dd>
<dt>Why</dt><dd>${escapeHtml(reason)}</dd>
</dl>`,
  );
}

/** It is not done, and why. */
export function problemPage(code: ErrorCode, detail: string | null): string {
  const { title } = errorTable[code];
  const more = detail === null || detail === title ? '' : `<p>${escapeHtml(detail)}</p>`;
  return page(
    `Nothing was changed: ${title}`,
    `${more}<p>Code <code>${code}</code>. Look at the rollout with <code>graygate status</code>, and act with the command line if it is still needed.</p>`,
  );
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)} · graygate</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

function verbOf(action: string): string {
  return verbs[action] ?? action.charAt(0).toUpperCase() + action.slice(1);
}
