import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FailureLimit } from '../../src/admin/failure-limit.ts';

const address = '192.0.2.7';

function failing(times: number, nowMs = 0): FailureLimit {
  const limit = new FailureLimit();
  for (let i = 0; i < times; i += 1) limit.failed(address, `wrong ${i}`, nowMs);
  return limit;
}

suite('an address that guesses', () => {
  test('has its last try told from the others, once each time', () => {
    const limit = failing(9);
    assert.equal(limit.failed(address, 'wrong 0', 0), false);
    assert.equal(limit.failed(address, 'wrong 9', 0), true);
    assert.equal(limit.failed(address, 'wrong 9', 0), false);
    assert.equal(limit.failed(address, 'one more', 6_000), true);
  });

  test('may be wrong nine times', () => assert.equal(failing(9).waitMs(address, 0), 0));

  test('waits after the tenth, until one is forgiven', () => {
    const limit = failing(10);
    assert.equal(limit.waitMs(address, 0), 6_000);
    assert.equal(limit.waitMs(address, 5_999), 1);
    assert.equal(limit.waitMs(address, 6_000), 0);
  });

  test('has one more try each six seconds, and all of them after a minute', () => {
    const limit = failing(10);
    limit.failed(address, 'one more', 6_000);
    assert.equal(limit.waitMs(address, 6_000), 6_000);
    for (let i = 0; i < 9; i += 1) limit.failed(address, `later ${i}`, 72_000);
    assert.equal(limit.waitMs(address, 72_000), 0);
  });

  test('is wrong once with one token, however often it sends it', () => {
    const limit = new FailureLimit();
    for (let i = 0; i < 1_000; i += 1) limit.failed(address, 'an old token', i);
    for (let i = 0; i < 8; i += 1) limit.failed(address, `wrong ${i}`, 1_000);
    assert.equal(limit.waitMs(address, 1_000), 0);
  });

  test('does not make another wait', () => assert.equal(failing(50).waitMs('192.0.2.8', 0), 0));

  test('waits no longer because the clock went back', () => {
    assert.ok(failing(10, 1_000_000).waitMs(address, 0) <= 6_000);
  });

  test('is forgotten when ten thousand others have come since', () => {
    const limit = failing(10);
    for (let i = 0; i < 10_000; i += 1) limit.failed(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 'x', 0);
    assert.equal(limit.waitMs(address, 0), 0);
  });
});
