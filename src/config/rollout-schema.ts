// The keys of one rollout: which requests it takes, who a user is, its versions, rules and split.
import type { z } from 'zod';
import { eventsSchema } from './event-schema.ts';
import { experimentSchema } from './experiment-schema.ts';
import { mirrorSchema, skewSchema } from './mirror-schema.ts';
import { parseHostPattern } from './network-address.ts';
import { excludeSchema, layerSchema } from './population-schema.ts';
import { accepted, refused, refusedUnseen, type Reading } from './reading.ts';
import { pathPrefix, percentByName, ruleSchema, tokenPattern } from './rule-schema.ts';
import {
  exactlyOne,
  keyed,
  keyName,
  listOf,
  mapping,
  oneOf,
  oneOrMore,
  secretText,
  someText,
  toggle,
  written,
} from './schema-kit.ts';
import { analysisSchema, bakeSchema, stagesSchema } from './staging-schema.ts';
import { versionSchema } from './version-schema.ts';
import type { IdentitySource } from '../rollout/policy.ts';

const sourceHint = 'write header:NAME, cookie:NAME, query:NAME, jwt:CLAIM or ip';

// Names begin with a letter: a JavaScript object would put "2" before "1", and the first version is the baseline.
const versionName = keyName(
  /^[A-Za-z][A-Za-z0-9._-]{0,62}$/,
  'begin with a letter; letters, digits and . _ - follow, 63 in all',
);

const jwtSchema = exactlyOne(
  mapping(
    {
      secret: secretText('the shared secret').optional(),
      jwksUrl: written(readJwksUrl, 'the URL of a JSON web key set').optional(),
      issuer: someText('the issuer that tokens must name').optional(),
      audience: someText('the audience that tokens must name').optional(),
    },
    'a mapping with secret or jwksUrl',
  ),
  ['secret', 'jwksUrl'],
);

const userSchema = mapping(
  {
    from: oneOrMore(written(readSource, 'a source such as header:x-user-id'), 'a list of sources').prefault([
      'header:x-user-id',
    ]),
    anonymous: oneOf('cookie', 'baseline', 'ip').prefault('cookie'),
    jwt: jwtSchema.optional(),
  },
  'a mapping with from, anonymous or jwt',
);

export const rolloutSchema = mapping(
  {
    name: written(readRolloutName, 'a name such as shop'),
    match: mapping(
      {
        host: oneOrMore(
          written(parseHostPattern, 'a host such as shop.example.com'),
          'a host, or a list of hosts',
        ).optional(),
        path: oneOrMore(pathPrefix, 'a path, or a list of paths').optional(),
      },
      'a mapping with host or path',
    ).prefault({}),
    user: userSchema.prefault({}),
    salt: someText('text that the hash begins with').optional(),
    versions: keyed(versionName, versionSchema, 'a mapping from at least two names to versions, the baseline first'),
    fallback: oneOf('baseline', 'none').prefault('baseline'),
    expose: toggle().prefault(true),
    streams: oneOf('keep', 'drain').prefault('keep'),
    mirror: mirrorSchema.optional(),
    skew: skewSchema.optional(),
    rules: listOf(ruleSchema, 'a list of rules').prefault([]),
    split: percentByName.prefault({}),
    release: someText('a name such as 2.4.0').optional(),
    stages: stagesSchema.optional(),
    bake: bakeSchema.optional(),
    analysis: analysisSchema.optional(),
    events: eventsSchema.prefault([]),
    experiment: experimentSchema.optional(),
    exclude: excludeSchema.prefault([]),
    layer: layerSchema.optional(),
    holdout: toggle().prefault(true),
  },
  'a rollout: a mapping with name, versions and split or stages',
);

export type RolloutDocument = z.output<typeof rolloutSchema>;

function readRolloutName(value: unknown): Reading<string> {
  const name = String(value);
  if (/^[a-z][a-z0-9-]{0,62}$/.test(name)) return accepted(name);
  return refused(
    'is not a name for a rollout',
    'begin with a lower-case letter; lower-case letters, digits and - follow, 63 in all',
  );
}

function readSource(value: unknown): Reading<IdentitySource> {
  const [, kind, name = ''] = /^([a-z]+)(?::(.*))?$/s.exec(String(value)) ?? [];
  if (kind === 'ip' && name === '') return accepted({ kind });
  if (kind === 'jwt' && name !== '') return accepted({ kind, claim: name });
  if (kind === 'query' && name !== '') return accepted({ kind, name });
  if (kind === 'cookie' && tokenPattern.test(name)) return accepted({ kind, name });
  if (kind === 'header' && tokenPattern.test(name)) return accepted({ kind, name: name.toLowerCase() });
  return refused('is not a source of user IDs', sourceHint);
}

function readJwksUrl(value: unknown): Reading<string> {
  const url = URL.parse(String(value));
  const isWeb =
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username === '' &&
    url.password === '';
  return isWeb
    ? accepted(String(value))
    : refusedUnseen('is not the URL of a key set', 'write a URL such as https://login.example.com/jwks.json');
}
