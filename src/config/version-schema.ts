// The keys of one version: its servers and how long to wait for them.
import { z } from 'zod';
import { parseServerOrigin } from './network-address.ts';
import { parseCount } from './quantities.ts';
import { mapping, someOf, written } from './schema-kit.ts';
import { protocolKeys } from './server-tls-schema.ts';
import { servingKeys } from './serving-schema.ts';
import { timeout } from './timeout.ts';

const url = written(parseServerOrigin, 'an origin such as http://10.0.0.1:3000');

const oneServer = url.transform((origin) => ({ url: origin, weight: 1 }));

const serversForm = 'a list of at least one server';

const server = z.union(
  [
    oneServer,
    mapping(
      { url, weight: written(parseCount, 'a whole number').prefault(1) },
      'a server: a URL, or a mapping with url and weight',
    ),
  ],
  { error: () => 'a server: a URL, or a mapping with url and weight' },
);

export const versionSchema = mapping(
  {
    servers: z.union([oneServer.transform((only) => [only]), someOf(server, serversForm)], {
      error: () => serversForm,
    }),
    timeouts: mapping(
      {
        connect: timeout().prefault('2s'),
        response: timeout().prefault('30s'),
        idle: timeout().prefault('60s'),
      },
      'a mapping with connect, response or idle',
    ).prefault({}),
    ...protocolKeys,
    ...servingKeys,
  },
  'a mapping with servers',
);
