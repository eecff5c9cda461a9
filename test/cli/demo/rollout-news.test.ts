// What the demo tells of graygate's log.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RolloutNews } from '../../../src/cli/demo/rollout-news.ts';
import { Screen } from '../../../src/cli/demo/screen.ts';

const begun = logLine({ phase: 'progressing', name: 'small', percent: 5, msg: 'release 2 begins' });
const rolledBack = logLine({
  level: 40,
  phase: 'rolled-back',
  name: 'small',
  percent: 0,
  msg: 'canary is rolled back',
});

test('changes wait until the demo has said where everything is, then come as they happen, with their sentence', () => {
  const { news, said, logged } = listen(false);
  news.hear(begun);
  assert.equal(said(), '');
  news.begin();
  news.hear(rolledBack);
  assert.match(
    said(),
    /^\d\d:\d\d:\d\d {2}shop {4}5 % {2}release 2 begins\n\d\d:\d\d:\d\d {2}shop {4}0 % {2}canary is rolled back\n$/,
  );
  assert.equal(logged(), '');
});

test('as JSON a change is an object', () => {
  const { news, said } = listen(true);
  news.begin();
  news.hear(begun);
  assert.deepEqual(JSON.parse(said()), {
    rollout: 'shop',
    phase: 'progressing',
    name: 'small',
    percent: 5,
    reason: 'release 2 begins',
    atMs: 1_000,
  });
});

test('it knows where each rollout stands, and when the first was heard of', async () => {
  const { news } = listen(false);
  assert.deepEqual([news.standing, news.firstRollout], ['', null]);
  news.hear(begun);
  await news.first;
  news.hear(logLine({ rollout: 'cart', phase: 'steady', name: 'split', percent: 10, msg: 'begins' }));
  news.hear(rolledBack);
  assert.equal(news.standing, 'shop rolled-back at 0 % (small), cart steady at 10 % (split)');
  assert.equal(news.firstRollout, 'shop');
});

test('other lines are shown as they are from warnings on, and left out below', () => {
  const { news, said, logged } = listen(false);
  news.begin();
  const lines = [30, 40, 50].map((level) => `${JSON.stringify({ level, time: 1, msg: 'policy rejected' })}\n`);
  for (const line of lines) news.hear(line);
  assert.deepEqual([said(), logged()], ['', lines.slice(1).join('')]);
});

function logLine(fields: Record<string, unknown>): string {
  const line = { level: 30, time: 1_000, rollout: 'shop', change: 'some', ...fields };
  return `${JSON.stringify(line)}\n`;
}

function listen(json: boolean) {
  let [said, logged] = ['', ''];
  const screen = new Screen({ write: (text) => (said += text) }, { write: (text) => (logged += text) });
  const news = new RolloutNews(screen, { json, canvas: () => ({ width: Infinity, paint: (_, text) => text }) });
  return { news, said: () => said, logged: () => logged };
}
