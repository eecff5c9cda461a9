import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { suite, test } from 'node:test';
import { CidrSet, parseCidr, type Cidr } from '../../src/config/ip-set.ts';

function setOf(...written: string[]): CidrSet {
  return new CidrSet(
    written.map((each): Cidr => {
      const reading = parseCidr(each);
      if (!reading.ok) throw new Error(`${each} ${reading.problem}`);
      return reading.value;
    }),
  );
}

const memberships: [range: string, address: string, isIn: boolean][] = [
  ['10.8.0.0/16', '10.8.255.255', true],
  ['10.8.0.0/16', '10.9.0.0', false],
  ['10.8.0.0/16', '::ffff:10.8.1.2', true],
  ['10.8.0.0/16', '::ffff:a08:102', true],
  ['10.8.0.0/16', '0:0:0:0:0:FFFF:0a08:0102', true],
  ['10.8.0.0/16', '::ffff:10.9.1.2', false],
  ['10.8.0.0/16', '::10.8.1.2', false],
  ['10.8.3.7/16', '10.8.0.1', true],
  ['192.0.2.7', '192.0.2.7', true],
  ['192.0.2.7', '192.0.2.8', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['2001:db8::/32', '2001:db8:ffff::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['2001:DB8::1', '2001:db8:0:0::1', true],
  ['::ffff:10.0.0.0/104', '10.200.0.1', true],
  ['::ffff:10.0.0.0/104', '11.0.0.1', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '::ffff:10.0.0.1', false],
  ['::/0', '10.0.0.1', false],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['10.8.0.0/16', '010.8.0.1', false],
  ['10.8.0.0/16', 'unknown', false],
  ['10.8.0.0/16', '', false],
];

suite('membership', () => {
  for (const [range, address, isIn] of memberships) {
    test(`${address} is ${isIn ? 'in' : 'not in'} ${range}, and still when it is asked again`, () => {
      const set = setOf(range);
      assert.equal(set.has(address), isIn);
      assert.equal(set.has(address), isIn);
    });
  }

  test('a set of several ranges holds what any of them holds, an empty one nothing', () => {
    const set = setOf('10.0.0.0/8', '2001:db8::/32');
    assert.deepEqual(
      ['10.1.1.1', '2001:db8::1', '11.1.1.1'].map((ip) => set.has(ip)),
      [true, true, false],
    );
    assert.equal(new CidrSet([]).has('10.1.1.1'), false);
  });
});

test('an address that was asked for lately is not looked up again, and a scan of addresses does not fill the memory', (t) => {
  const check = t.mock.method(BlockList.prototype, 'check');
  const set = setOf('10.0.0.0/8');
  for (let i = 0; i < 5; i += 1) set.has('10.1.1.1');
  assert.equal(check.mock.callCount(), 1);
  for (let i = 0; i < 9_000; i += 1) set.has(`10.2.${i >> 8}.${i & 255}`);
  set.has('10.1.1.1');
  assert.equal(check.mock.callCount(), 9_002, 'expected the oldest answer to be forgotten after thousands of others');
});

test('only both families together hold every address', () => {
  assert.equal(setOf('0.0.0.0/0', '::/0').holdsEveryAddress, true);
  assert.equal(setOf('0.0.0.0/0').holdsEveryAddress, false);
  assert.equal(setOf('0.0.0.0/1', '::/0').holdsEveryAddress, false);
});

for (const written of [
  '',
  '10',
  '10.0.0',
  '010.1.1.1',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/08',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '::/129',
  'fe80::1%eth0',
  ' 10.0.0.1',
  '10.0.0.0/255.0.0.0',
  'example.com',
  '0x0a.0.0.1',
]) {
  test(`"${written}" is refused as a range`, () => assert.equal(parseCidr(written).ok, false));
}
