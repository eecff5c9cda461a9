// The policy file as a whole: keys that are not a rollout's, their forms and defaults. Checks across keys are in cross-checks.ts.
import { z } from 'zod';
import { parseCidr } from './ip-set.ts';
import { parseListenAddress } from './network-address.ts';
import { parseCount, parseSize } from './quantities.ts';
import { accepted, refused, type Reading } from './reading.ts';
import { rolloutSchema } from './rollout-schema.ts';
import { listOf, mapping, someOf, toggle, written } from './schema-kit.ts';
import { timeout } from './version-schema.ts';

const address = () => written(parseListenAddress, 'an address such as 0.0.0.0:8080');

const cidr = written(parseCidr, 'an address or a range such as 10.8.0.0/16');

const rangesForm = 'a list of addresses or ranges';

/** Every key that works, in the order of the documentation. Defaults are written as a user would write them. */
export const policySchema = mapping(
  {
    version: written(readFormat, 'the version of this format: 1'),
    listen: address(),
    admin: mapping({ listen: address().prefault('127.0.0.1:9090') }, 'a mapping with listen').prefault({}),
    trustedProxies: z.union([cidr, listOf(cidr, rangesForm)], { error: () => rangesForm }).prefault([]),
    limits: mapping(
      {
        headerBytes: written(readHeaderBytes, 'a size such as 16KiB').prefault('16KiB'),
        bodyBytes: written(orUnlimited(parseSize), 'a size such as 16MiB, or unlimited').prefault('unlimited'),
        connections: written(orUnlimited(parseCount), 'a whole number, or unlimited').prefault('unlimited'),
      },
      'a mapping with headerBytes, bodyBytes or connections',
    ).prefault({}),
    timeouts: mapping(
      {
        header: timeout().prefault('10s'),
        idle: timeout().prefault('75s'),
        drain: timeout().prefault('30s'),
      },
      'a mapping with header, idle or drain',
    ).prefault({}),
    logging: mapping({ access: toggle().prefault(false) }, 'a mapping with access').prefault({}),
    rollouts: someOf(rolloutSchema, 'a list of at least one rollout'),
  },
  'a mapping with version, listen and rollouts',
);

/** A policy file that fits the schema, with its defaults filled in and its values read. */
export type PolicyDocument = z.output<typeof policySchema>;

function readFormat(value: unknown): Reading<1> {
  return value === 1 ? accepted(1) : refused('is not a version of this format', 'write 1');
}

function readHeaderBytes(value: unknown): Reading<number> {
  const size = parseSize(value);
  if (!size.ok || (size.value >= 1_024 && size.value <= 1_048_576)) return size;
  return refused('is out of range', 'write a size from 1KiB to 1MiB');
}

function orUnlimited(parse: (value: unknown) => Reading<number>): (value: unknown) => Reading<number> {
  return (value) => {
    if (value === 'unlimited') return accepted(Infinity);
    const reading = parse(value);
    if (!reading.ok) return { ...reading, hint: reading.hint ?? 'or write unlimited' };
    return reading.value > 0 ? reading : refused('is nothing at all', 'write at least 1B, or unlimited');
  };
}
