// The policy file as a whole: keys that are not a rollout's, their forms and defaults. Checks across keys are in cross-checks.ts.
import { z } from 'zod';
import { parseCidr } from './ip-set.ts';
import { parseListenAddress } from './network-address.ts';
import { holdoutSchema } from './population-schema.ts';
import { parseCount, parseSize } from './quantities.ts';
import { accepted, refused, refusedUnseen, type Reading } from './reading.ts';
import { rolloutSchema } from './rollout-schema.ts';
import { listOf, mapping, oneOf, secretText, someOf, someText, toggle, written } from './schema-kit.ts';
import { tlsSchema } from './tls-schema.ts';
import { timeout } from './timeout.ts';
import { webUrl } from './web-url.ts';
import { readWorkers } from './worker-count.ts';
import type { AlertKind } from '../rollout/audit-entry.ts';
import type { StoreAddress } from '../rollout/policy.ts';

const address = () => written(parseListenAddress, 'an address such as 0.0.0.0:8080');

const cidr = written(parseCidr, 'an address or a range such as 10.8.0.0/16');

const rangesForm = 'a list of addresses or ranges';

const tokenSchema = mapping(
  {
    name: someText('a name such as ops'),
    role: oneOf('viewer', 'operator', 'ingest'),
    token: written(readToken, 'a token of at least 16 characters, in quotes'),
  },
  'a token: a mapping with name, role and token',
);

const alertKinds = [
  'rolled-back',
  'promoted',
  'paused',
  'waiting',
  'progressing',
  'baking',
  'steady',
  'stepped-back',
  'frozen',
  'timed-out',
  'decided',
] as const satisfies AlertKind[];

const alertSchema = mapping(
  {
    webhook: webUrl('the URL to post to'),
    format: oneOf('slack', 'json').prefault('slack'),
    on: someOf(oneOf(...alertKinds), 'a list of changes such as rolled-back').prefault([
      'rolled-back',
      'promoted',
      'paused',
      'waiting',
    ]),
    secret: secretText('the secret that signs the body').optional(),
    approveUrl: webUrl('where people reach the admin port').optional(),
  },
  'an alert: a mapping with webhook',
);

/** Every key that works, in the order of the documentation. Defaults are written as a user would write them. */
export const policySchema = mapping(
  {
    version: written(readFormat, 'the version of this format: 1'),
    listen: address(),
    admin: mapping(
      { listen: address().prefault('127.0.0.1:9090'), tokens: listOf(tokenSchema, 'a list of tokens').prefault([]) },
      'a mapping with listen and tokens',
    ).prefault({}),
    tls: tlsSchema.optional(),
    workers: written(readWorkers, 'a number of processes such as 4, or auto').prefault(1),
    trustedProxies: z.union([cidr, listOf(cidr, rangesForm)], { error: () => rangesForm }).prefault([]),
    limits: mapping(
      {
        headerBytes: written(readHeaderBytes, 'a size such as 16KiB').prefault('16KiB'),
        bodyBytes: written(orUnlimited(parseSize), 'a size such as 16MiB, or unlimited').prefault('unlimited'),
        connections: written(orUnlimited(parseCount), 'a whole number, or unlimited').prefault('unlimited'),
        connectionsPerSecond: written(orUnlimited(parseCount), 'a whole number, or unlimited').prefault('unlimited'),
      },
      'a mapping with headerBytes, bodyBytes, connections or connectionsPerSecond',
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
    store: written(readStore, 'a store such as sqlite:data/graygate.db').prefault('sqlite:data/graygate.db'),
    alerts: listOf(alertSchema, 'a list of alerts').prefault([]),
    holdout: holdoutSchema.prefault(0),
    rollouts: someOf(rolloutSchema, 'a list of at least one rollout'),
  },
  'a mapping with version, listen and rollouts',
);

/** A policy file that fits the schema, with its defaults filled in and its values read. */
export type PolicyDocument = z.output<typeof policySchema>;

function readStore(value: unknown): Reading<StoreAddress> {
  const path = /^sqlite:(.+)$/s.exec(String(value))?.[1];
  return path === undefined
    ? refusedUnseen('is not a store', 'write sqlite: and the path of a file, such as sqlite:data/graygate.db')
    : accepted({ kind: 'sqlite', path });
}

function readToken(value: unknown): Reading<string> {
  if (typeof value === 'string' && /^[!-~]{16,256}$/.test(value)) return accepted(value);
  return refusedUnseen(
    'is not a token',
    'write 16 to 256 visible ASCII characters, such as openssl rand -hex 32 prints',
  );
}

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
