import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ExperimentBoard } from '../../src/controller/experiment-board.ts';
import type { ExperimentFigures } from '../../src/rollout/experiment.ts';
import {
  conversion,
  counted,
  dayMs,
  experiment,
  figures,
  proportion,
} from '../rollout/experiment-report/experiments.ts';
import { stagingOf } from '../support/rollout-machine.ts';

const seen = figures([counted(conversion, [proportion(20_000, 1_000), proportion(20_000, 1_300)])]);
const shop = {
  name: 'shop',
  experiment: experiment({ expectedUserCount: 9_000 }),
  staging: stagingOf({ release: '2.4.0' }),
};

type Desk = { answer: ExperimentFigures | Error | null; readonly asked: string[] };

function boardOf(t: TestContext, desk: Desk): ExperimentBoard {
  const board = new ExperimentBoard({
    figures: async (rollout, release) => {
      desk.asked.push(`${rollout} ${release}`);
      if (desk.answer instanceof Error) throw desk.answer;
      return desk.answer;
    },
    nowMs: () => 10 * dayMs,
  });
  t.after(() => board.close());
  return board;
}

test('what was counted last is known, with where the experiment stands', async (t) => {
  const desk: Desk = { answer: null, asked: [] };
  const board = boardOf(t, desk);
  board.follow([shop, { ...shop, name: 'cart', experiment: null }]);
  await board.look();
  assert.equal(board.sight('shop'), null);
  desk.answer = seen;
  await board.look();
  const sight = board.sight('shop');
  assert.equal(sight?.figures, seen);
  assert.equal(sight?.standing.winner, 'canary');
  assert.equal(sight?.tightestAt, 9_000);
  assert.equal(board.sight('cart'), null);
  assert.deepEqual([...new Set(desk.asked)], ['shop 2.4.0'], 'a rollout without an experiment is not asked for');
});

test('while the store is away what was known stays, and a rollout that ends is forgotten', async (t) => {
  const desk: Desk = { answer: seen, asked: [] };
  const board = boardOf(t, desk);
  board.follow([shop]);
  await board.look();
  desk.answer = new Error('the store is away');
  await board.look();
  assert.equal(board.sight('shop')?.figures, seen);
  board.follow([]);
  assert.equal(board.sight('shop'), null);
});

test('a question that takes its time is not asked again meanwhile', async (t) => {
  const held = Promise.withResolvers<void>();
  let askedCount = 0;
  const board = new ExperimentBoard({
    figures: async () => {
      askedCount += 1;
      await held.promise;
      return seen;
    },
    nowMs: () => 0,
  });
  t.after(() => board.close());
  board.follow([shop]);
  void board.look();
  void board.look();
  held.resolve();
  await held.promise;
  assert.equal(askedCount, 1);
});
