// What a worker packs is what the control process reads, in the same order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Assignment, Observation } from '../../src/rollout/observation.ts';
import { ObservationWriter, readObservations } from '../../src/workers/observation-codec.ts';
import { rolloutOf } from '../support/policies.ts';

const shop = rolloutOf({
  versions: { stable: { servers: ['http://127.0.0.1:1'] }, canary: { servers: ['http://127.0.0.1:2'] } },
});

type Item =
  | { readonly split: number; readonly assignment: Assignment }
  | { readonly split: null; readonly observation: Observation };

const version = fc.constantFrom(...shop.versions);
const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const bucket = fc.option(fc.nat(9_999));
const kind = fc.constantFrom('connect' as const, 'reset' as const, 'timeout' as const, 'protocol' as const);
const fault = fc.record({ version, server: bytes, kind }, { noNullPrototype: true });
const assignments: fc.Arbitrary<Item> = fc
  .record({ version, bucket, user: bytes, split: fc.nat(2 ** 31) })
  .map(({ split, ...given }) => ({ split, assignment: { ...given, rollout: shop, rule: null } }));
const observations: fc.Arbitrary<Item> = fc
  .record({
    decided: version,
    rule: fc.option(fc.string({ unit: 'grapheme' })),
    bucket,
    user: fc.option(bytes),
    ip: bytes,
    status: fc.integer({ min: 100, max: 999 }),
    grpcStatus: fc.option(fc.nat(16)),
    ending: fc.constantFrom('complete', 'cut', 'client-left', 'refused', 'upgraded'),
    durationMs: fc.double({ noNaN: true }),
    faults: fc.array(fault, { maxLength: 3 }),
    retries: fc.array(fc.oneof(kind, fc.constantFrom('502' as const, '503' as const)), { maxLength: 3 }),
    fallback: fc.option(fc.oneof(kind, fc.constantFrom('no-server', 'busy'))),
  })
  .map((observed) => ({ split: null, observation: { ...observed, rollout: shop } }));

function write(writer: ObservationWriter, item: Item, number: number): void {
  if (item.split === null) writer.observed(number, item.observation);
  else writer.assigned(number, item.split, item.assignment);
}

function read(packed: Uint8Array, known: number): Item[] {
  const items: Item[] = [];
  readObservations(packed, {
    rolloutOf: (number) => (number === known ? shop : null),
    assigned: (assignment, split) => items.push({ split, assignment }),
    observed: (observation) => items.push({ split: null, observation }),
  });
  return items;
}

test('what is read is what was written, in the same order', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(assignments, observations), { maxLength: 30 }), (items) => {
      const writer = new ObservationWriter();
      for (const item of items) write(writer, item, 7);
      assert.deepEqual(read(structuredClone(writer.take()), 7), items);
      assert.equal(writer.byteLength, 0);
    }),
    { seed: 7, numRuns: 300 },
  );
});

test('records of a rollout that is gone are passed over, those around them are not', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(assignments, observations), fc.boolean())), (items) => {
      const writer = new ObservationWriter();
      for (const [item, isKnown] of items) write(writer, item, isKnown ? 7 : 8);
      assert.deepEqual(
        read(writer.take(), 7),
        items.filter(([, isKnown]) => isKnown).map(([item]) => item),
      );
    }),
    { seed: 7, numRuns: 200 },
  );
});

test('there is room for however much comes between two reports', () => {
  const writer = new ObservationWriter();
  const assignment: Assignment = {
    rollout: shop,
    version: shop.versions[0],
    rule: null,
    bucket: 1,
    user: 'x'.repeat(9_000),
  };
  for (let i = 0; i < 200; i += 1) writer.assigned(7, i, assignment);
  const items = read(writer.take(), 7);
  assert.deepEqual(
    items.map(({ split }) => split),
    Array.from({ length: 200 }, (_, i) => i),
  );
});
