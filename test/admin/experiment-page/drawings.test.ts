import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axisDrawing, intervalDrawing, liftScale } from '../../../src/admin/experiment-page/interval-drawing.ts';
import { scaleOf } from '../../../src/admin/experiment-page/scale.ts';

const style = { blank: ' ', points: ' points' };

test('a scale is linear and names round numbers', () => {
  const { at, ticks } = scaleOf([-0.07, 0.07], [0, 140], 4);
  assert.deepEqual(ticks, [-0.05, 0, 0.05]);
  assert.equal(at(0), 70);
  assert.ok(Math.abs(at(0.05) - 120) < 1e-9);
  assert.deepEqual(scaleOf([58.1, 60.3], [0, 1], 4).ticks, [59, 60]);
  assert.deepEqual(scaleOf([0, 1], [0, 1], 4).ticks, [0, 0.5, 1]);
});

test('all intervals share an axis with 0 in its middle, and lines that reach further end in an arrow', () => {
  const wide = { value: 2, lower: -0.5, upper: 9 };
  const scale = liftScale([{ value: 0.1, lower: -0.02, upper: 0.2 }, wide]);
  assert.equal(scale.at(0), 160);
  assert.ok(Math.max(...scale.ticks) <= 1, 'no axis beyond twice as much');
  const drawn = intervalDrawing(wide, { scale, kind: 'no-difference', style });
  assert.equal(drawn.match(/<polyline/g)?.length, 1);
  const beyond = intervalDrawing({ value: 7, lower: 5, upper: 1e22 }, { scale, kind: 'better', style });
  assert.equal(beyond.match(/<polyline/g)?.length, 2, 'both ends are out of the drawing');
  for (const text of [drawn, beyond]) {
    for (const [, x] of text.matchAll(/(?:x1|x2|cx)="([^"]+)"/g)) assert.ok(Number(x) >= 0 && Number(x) <= 320, x);
  }
  const narrow = liftScale([{ value: 0, lower: -0.001, upper: 0.001 }]);
  assert.deepEqual(narrow.ticks, [-0.02, 0, 0.02], 'an axis is never so fine that nothing looks like something');
  assert.deepEqual(liftScale([]).ticks, [-0.02, 0, 0.02]);
});

test('every number below the axis has room within the drawing', () => {
  const widest = liftScale([{ value: 2, lower: -0.5, upper: 9 }]);
  const drawn = axisDrawing(widest, style, { worse: 'worse', better: 'better' });
  const labels = [...drawn.matchAll(/<text x="([\d.]+)" y="12" text-anchor="middle">([^<]+)</g)];
  assert.deepEqual([labels[0]?.[2], labels.at(-1)?.[2]], ['−100 %', '+100 %']);
  for (const [, x, text] of labels) {
    const half = text!.length * 3.7;
    assert.ok(Number(x) - half >= 0 && Number(x) + half <= 320, `${text} at ${x}`);
  }
});
