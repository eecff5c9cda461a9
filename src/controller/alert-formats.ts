// The bodies that receivers get: JSON for programs, blocks for Slack's incoming webhooks. Pure text making; docs/alerts.md has the shapes.
import type { AlertKind } from '../rollout/audit-entry.ts';
import { type Letter, type LinkTerms, type Remedies, remediesOf } from './alert-remedies.ts';

/** The exact body to send. */
export function bodyOf(letter: Letter, terms: LinkTerms): string {
  const remedies = remediesOf(letter, terms);
  return JSON.stringify(letter.target.format === 'slack' ? slackBody(letter, remedies) : jsonBody(letter, remedies));
}

function jsonBody({ id, rollout, entry }: Letter, { commands, links }: Remedies): object {
  const { alert, kind, release, revision, from, to, by, atMs, reason, note, measured } = entry;
  return {
    id,
    alert,
    change: kind,
    rollout,
    release,
    revision,
    from,
    to,
    by,
    at: new Date(atMs).toISOString(),
    reason,
    note,
    measured,
    commands,
    links,
  };
}

const titles: Readonly<Record<AlertKind, string>> = {
  steady: 'runs at its fixed split',
  progressing: 'goes on',
  waiting: 'waits for an approval',
  paused: 'is paused',
  baking: 'is baking',
  promoted: 'is promoted',
  'rolled-back': 'is rolled back',
  'stepped-back': 'has stepped back',
  frozen: 'is frozen',
  'timed-out': 'has timed out',
  decided: 'has ended its experiment',
};

const symbols: Readonly<Partial<Record<AlertKind, string>>> = {
  waiting: ':raised_hand:',
  paused: ':double_vertical_bar:',
  promoted: ':white_check_mark:',
  'rolled-back': ':rotating_light:',
  'stepped-back': ':warning:',
  frozen: ':warning:',
  'timed-out': ':hourglass:',
  decided: ':bar_chart:',
};

/** Slack refuses a text block of more than 3,000 characters. */
const longestSentence = 2_000;
const longestWord = 200;

/**
 * https://docs.slack.dev/messaging/formatting-message-text: `& < >` are escaped. Links are not unfurled: nobody but a person is to
 * open one. They are links and not buttons: a button asks for an app that answers.
 */
function slackBody({ rollout, entry }: Letter, { commands, links }: Remedies): object {
  const { alert, release, from, to, by, atMs, reason } = entry;
  const title = `${alert === null ? '' : (symbols[alert] ?? ':arrow_forward:')} *${rollout}* ${escapeSlack(release, longestWord)} ${alert === null ? '' : titles[alert]}`;
  const sentence = escapeSlack(reason, longestSentence);
  const path = `${from === null ? '' : `${from.percent} % ${from.phase} → `}${to.percent} % ${to.phase}`;
  const actions = [
    ...commands.map((command) => `\`${command}\``),
    ...linkOrder.flatMap((name) =>
      links[name] === undefined ? [] : `<${escapeSlack(links[name])}|${linkTexts[name]}>`,
    ),
  ];
  const when = `<!date^${Math.floor(atMs / 1_000)}^{date_short_pretty} {time_secs}|${new Date(atMs).toISOString()}>`;
  return {
    text: `${rollout}: ${sentence}`,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      section(`${title}\n${sentence}`),
      section(actions.join('\n')),
      { type: 'context', elements: [{ type: 'mrkdwn', text: `${path} · ${escapeSlack(by, longestWord)} · ${when}` }] },
    ],
  };
}

const linkOrder = ['approve', 'rollback', 'rollout'] as const;
const linkTexts = { approve: 'Approve', rollback: 'Roll back', rollout: 'Look at the rollout' } as const;

function section(text: string): object {
  return { type: 'section', text: { type: 'mrkdwn', text } };
}

function escapeSlack(text: string, longest = Infinity): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  if (escaped.length <= longest) return escaped;
  // Not in the middle of an escape.
  return `${escaped.slice(0, longest).replace(/&[a-z]*$/, '')}…`;
}
