// Which running gateway a verb talks to, and with which token: named on the command line or by the environment.
import type { Command } from 'commander';
import { GraygateError } from '../errors.ts';
import type { CommandContext } from './command-context.ts';

const usualUrl = 'http://127.0.0.1:9090';

/** What `addGatewayOptions` leaves in a verb's options. */
export type GatewayOptions = { readonly url?: string; readonly token?: string };

/** Where the admin API is. `base` ends with a slash. */
export type Endpoint = { readonly base: URL; readonly token: string | null };

/** `--url` and `--token` of every verb that talks to a running gateway; `asks`: what naming one means, where it need not be named. */
export function addGatewayOptions(verb: Command, asks?: string): Command {
  return verb
    .option('--url <url>', asks ?? `the admin port of the gateway (default: $GRAYGATE_URL, else ${usualUrl})`)
    .option('--token <token>', 'a token of admin.tokens (default: $GRAYGATE_TOKEN, which other users cannot see)');
}

/** The gateway that was asked for. Throws `usage` for what is no address or could not be sent. */
export function endpointOf(options: GatewayOptions, { env }: Pick<CommandContext, 'env'>): Endpoint {
  const named = options.url ?? (env['GRAYGATE_URL'] || usualUrl);
  const base = URL.parse(named.endsWith('/') ? named : `${named}/`);
  const isPlain = base !== null && base.username === '' && base.password === '' && base.search === '';
  if (!isPlain || (base.protocol !== 'http:' && base.protocol !== 'https:')) {
    throw new GraygateError('usage', `expected the URL of a gateway such as ${usualUrl}, got "${named}"`);
  }
  const token = options.token ?? env['GRAYGATE_TOKEN'] ?? '';
  if (!/^[\x21-\x7e]*$/.test(token)) throw new GraygateError('usage', 'expected a token of visible ASCII characters');
  return { base, token: token === '' ? null : token };
}
