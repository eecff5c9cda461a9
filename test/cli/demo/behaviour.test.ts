import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeBehaviour, parseBehaviour, readBehaviour } from '../../../src/cli/demo/behaviour.ts';
import { GraygateError } from '../../../src/errors.ts';

const written: [text: string, errorsPercent: number, latencyMs: number, inWords: string][] = [
  ['errors', 50, 0, 'fails 50 % of requests'],
  ['errors=5', 5, 0, 'fails 5 % of requests'],
  ['errors=0.5', 0.5, 0, 'fails 0.5 % of requests'],
  ['latency', 0, 400, '400 ms slower'],
  ['latency=250', 0, 250, '250 ms slower'],
  ['errors=10, latency=90', 10, 90, 'fails 10 % of requests, 90 ms slower'],
  ['errors=0', 0, 0, 'healthy'],
];

for (const [text, errorsPercent, latencyMs, inWords] of written) {
  test(`"${text}" reads as: ${inWords}`, () => {
    const behaviour = parseBehaviour(text);
    assert.deepEqual(behaviour, { errorsPercent, latencyMs });
    assert.equal(describeBehaviour(behaviour), inWords);
  });
}

for (const text of ['', 'error', 'errors=', 'errors=101', 'errors=-1', 'errors=half', 'latency=10001', 'latency=1s']) {
  test(`"${text}" is refused as wrong usage`, () => {
    assert.throws(
      () => parseBehaviour(text),
      (error) => error instanceof GraygateError && error.code === 'usage' && error.message.startsWith('expected '),
    );
  });
}

for (const body of [null, 'errors', [], { errors: '50' }, { errors: 101 }, { latency: Number.NaN }, { eror: 1 }]) {
  test(`the body ${JSON.stringify(body)} is answered with what was expected`, () => {
    const behaviour = readBehaviour(body);
    assert.ok(typeof behaviour === 'string' && behaviour.startsWith('expected '));
  });
}
