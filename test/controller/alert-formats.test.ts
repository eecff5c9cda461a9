import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readActionLink, signActionLink } from '../../src/controller/action-link.ts';
import { bodyOf } from '../../src/controller/alert-formats.ts';
import { type Letter, linkLifetimeMs, type LinkTerms } from '../../src/controller/alert-remedies.ts';
import type { AuditEntry } from '../../src/rollout/audit-entry.ts';
import type { AlertTarget } from '../../src/rollout/policy.ts';
import { atMs, entryOf, targetOf, waitingEntry } from './entries.ts';

const linked = { approveUrl: 'https://graygate.example.com/' };

function at(nowMs: number): LinkTerms {
  return { nowMs, signLink: (link) => signActionLink(link, 'key') };
}

function letterOf(entry: AuditEntry, target: Partial<AlertTarget> = {}): Letter {
  return { id: 'shop-7-abc', rollout: 'shop', entry, target: targetOf('https://hooks.example.com/T/B/key', target) };
}

// oxlint-disable-next-line typescript/no-explicit-any -- what a receiver that knows no types sees
function jsonOf(entry: AuditEntry, target: Partial<AlertTarget> = {}, nowMs = atMs): any {
  return JSON.parse(bodyOf(letterOf(entry, target), at(nowMs)));
}

// oxlint-disable-next-line typescript/no-explicit-any -- as above
function slackOf(entry: AuditEntry, target: Partial<AlertTarget> = {}): any {
  return jsonOf(entry, { format: 'slack', ...target });
}

function verbs(entry: AuditEntry): string[] {
  return jsonOf(entry).commands.map((text: string) => text.split(' ')[1]);
}

function inPhase(phase: AuditEntry['to']['phase'], alert: AuditEntry['alert']): AuditEntry {
  return entryOf({ to: { ...entryOf().to, phase }, alert });
}

test('JSON says what changed, who did it, when, why, with which numbers, and what to do', () => {
  const entry = entryOf();
  assert.deepEqual(jsonOf(entry), {
    id: 'shop-7-abc',
    alert: 'rolled-back',
    change: 'rollback',
    rollout: 'shop',
    release: '2.4.0',
    revision: 7,
    from: entry.from,
    to: entry.to,
    by: 'graygate',
    at: '2026-11-22T12:00:00.000Z',
    reason: entry.reason,
    note: null,
    measured: entry.measured,
    commands: ['graygate retry shop --reason "…"'],
    links: {},
  });
});

test('the commands fit the phase that the rollout is in now', () => {
  assert.deepEqual(verbs(waitingEntry()), ['approve', 'rollback']);
  assert.deepEqual(verbs(inPhase('paused', 'paused')), ['resume', 'rollback']);
  assert.deepEqual(verbs(inPhase('promoted', 'promoted')), ['rollback']);
  assert.deepEqual(verbs(inPhase('baking', 'baking')), ['rollback']);
  assert.deepEqual(verbs(inPhase('progressing', 'timed-out')), ['advance', 'rollback']);
});

test('a target with an address for links gets signed ones that expire a day after the change', () => {
  const { links } = jsonOf(waitingEntry(), linked);
  assert.equal(links.rollout, 'https://graygate.example.com/api/v1/rollouts/shop');
  for (const action of ['approve', 'rollback']) {
    const [, token = ''] = links[action].split('https://graygate.example.com/api/v1/links/');
    const expected = {
      id: `shop-7-abc-${action}`,
      target: '98fba4bc9c099d8b',
      rollout: 'shop',
      action,
      release: '2.4.0',
      revision: 7,
      expiresMs: atMs + linkLifetimeMs,
      by: 'link sent to hooks.example.com',
    };
    assert.deepEqual(readActionLink(token, ['key'], atMs), { ok: true, link: expected });
  }
});

test('a second attempt has the same links, so that each still works only once', () => {
  assert.deepEqual(jsonOf(waitingEntry(), linked, atMs + 60_000).links, jsonOf(waitingEntry(), linked).links);
});

test('no links where nothing can be approved or rolled back, or they would be expired', () => {
  assert.deepEqual(Object.keys(jsonOf(entryOf(), linked).links), ['rollout']);
  assert.deepEqual(Object.keys(jsonOf(waitingEntry(), linked, atMs + linkLifetimeMs).links), ['rollout']);
});

test('Slack gets a text for notifications and blocks of sections and a context, and nothing to unfurl', () => {
  const body = slackOf(entryOf());
  assert.deepEqual(Object.keys(body).toSorted(), ['blocks', 'text', 'unfurl_links', 'unfurl_media']);
  assert.equal(body.text, `shop: ${entryOf().reason}`);
  assert.equal(body.unfurl_links, false);
  assert.deepEqual(
    body.blocks.map(({ type }: { type: string }) => type),
    ['section', 'section', 'context'],
  );
  const [first, second, context] = body.blocks;
  assert.equal(first.text.type, 'mrkdwn');
  assert.match(first.text.text, /\*shop\* 2\.4\.0 is rolled back\ncanary is rolled back from 5 %/);
  assert.equal(second.text.text, '`graygate retry shop --reason "…"`');
  assert.match(context.elements[0].text, /^5 % progressing → 0 % rolled-back · graygate · <!date\^1795348800\^/);
});

test('Slack gets its links as links', () => {
  const [, actions] = slackOf(waitingEntry(), linked).blocks;
  assert.match(actions.text.text, /\n<https:\/\/graygate\.example\.com\/api\/v1\/links\/[\w.-]+\|Approve>\n</);
  assert.match(actions.text.text, /\|Roll back>\n<https:\/\/graygate\.example\.com\/api\/v1\/rollouts\/shop\|/);
});

test('what a person wrote cannot mention anybody or forge a link in Slack', () => {
  const nasty = '<!channel> & <https://evil.example|Approve>';
  const text = JSON.stringify(slackOf(entryOf({ reason: nasty, release: nasty, by: nasty })));
  assert.ok(!text.includes('<!channel>') && !text.includes('<https://evil'));
  assert.ok(text.includes('&lt;!channel&gt; &amp; &lt;https://evil.example|Approve&gt;'));
});

test('no block is longer than Slack takes, whatever was written', () => {
  const body = slackOf(entryOf({ reason: '&'.repeat(100_000), release: '<'.repeat(10_000), by: '>'.repeat(10_000) }));
  for (const block of body.blocks) {
    const text = block.text?.text ?? block.elements[0].text;
    assert.ok(text.length <= 3_000, `${block.type} has ${text.length} characters`);
  }
});

test('neither format tells the address or the secret of the target', () => {
  for (const format of ['json', 'slack'] as const) {
    const body = bodyOf(letterOf(waitingEntry(), { ...linked, secret: 'hidden', format }), at(atMs));
    assert.ok(!body.includes('/T/B/key') && !body.includes('hidden'), body);
  }
});
