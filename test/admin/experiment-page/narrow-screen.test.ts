import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { experimentPage } from '../../../src/admin/experiment-page/experiment-page.ts';
import { chinese } from '../../../src/rollout/experiment-report/chinese.ts';
import { english } from '../../../src/rollout/experiment-report/english.ts';
import { reportOf } from '../../../src/rollout/experiment-report/report-of.ts';
import {
  conversion,
  counted,
  dayMs,
  experiment,
  figures,
  proportion,
} from '../../rollout/experiment-report/experiments.ts';
import { needs } from '../../support/requirements.ts';
import { run } from '../../support/run.ts';

/** Measures the page in a frame as wide as a phone: what scrolls sideways, and which numbers lie outside. */
const measuring = (page: string): string => `<!doctype html><meta charset="utf-8">
<iframe style="width:390px;height:800px;border:0"></iframe><pre></pre><script>
const frame = document.querySelector('iframe');
frame.onload = () => {
  const { documentElement: root } = frame.contentDocument;
  const all = [...root.querySelectorAll('*')];
  document.querySelector('pre').textContent = JSON.stringify({
    width: root.clientWidth,
    scrolling: all.filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === 'auto').length,
    pageWidth: root.scrollWidth,
    outside: [...root.querySelectorAll('.interval, .number, .answer')].filter((one) => one.getBoundingClientRect().right > 390).length,
    intervals: [...root.querySelectorAll('.interval')].map((one) => Math.round(one.getBoundingClientRect().width)),
  });
};
frame.srcdoc = ${JSON.stringify(page).replaceAll('<', '\\u003c')};
</script>`;

for (const words of [english, chinese]) {
  test(`on a phone nothing of the ${words.tag} page scrolls sideways`, { skip: needs('chromium') }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'graygate-page-'));
    t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    const file = join(folder, 'page.html');
    await writeFile(file, measuring(experimentPage(report(), words)));
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${folder}/profile`];
    const { stdout, stderr } = await run('chromium', [...flags, '--virtual-time-budget=2000', '--dump-dom', file]);
    const found = /<pre>(\{.*\})<\/pre>/.exec(stdout)?.[1];
    assert.ok(found !== undefined, stderr);
    const { width, pageWidth, scrolling, outside, intervals } = JSON.parse(found) as Record<string, number> & {
      intervals: number[];
    };
    assert.deepEqual({ pageWidth, scrolling, outside }, { pageWidth: width, scrolling: 0, outside: 0 });
    assert.equal(intervals.length, 2);
    for (const drawn of intervals) assert.ok(drawn > 250, `an interval is ${drawn} px wide`);
  });
}

/** Two candidates with long names over two weeks. */
function report() {
  const samples = [proportion(20_000, 1_000), proportion(20_000, 1_300), proportion(20_000, 900)];
  const days = Array.from({ length: 14 }, (_, day) => ({
    startMs: day * dayMs,
    exposed: samples.map(() => (day + 1) * 1_400),
    metrics: { conversion: samples.map((_sample, i) => proportion(10_000, 500 + day * i)) },
  }));
  const seen = figures([counted(conversion, samples)], {
    days,
    events: [{ event: 'purchase', count: 3_200, valueSum: 1e9 }],
  });
  const versions = ['stable', 'checkout-redesign-2026-autumn', 'one-page-checkout-with-wallets'];
  return reportOf({ ...seen, versions }, experiment(), 14 * dayMs);
}
