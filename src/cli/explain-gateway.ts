// What a running gateway says of a request: the same question, as its admin port takes it.
import { GraygateError } from '../errors.ts';
import type { NamedValue } from '../rollout/asked-user.ts';
import type { AdminClient } from './admin-client.ts';
import { buildRequest, isNamed, type RequestOptions } from './explain-request.ts';

/** `rollout`: this one, whether it takes the request or not. */
export type GatewayQuestion = RequestOptions & { readonly user?: string; readonly rollout?: string };

/** The gateway's answer by the split in force. Throws `usage` for what no client could send, or a gateway cannot be asked. */
export function explainByGateway(asked: GatewayQuestion, client: AdminClient): ReturnType<AdminClient['decide']> {
  buildRequest(asked);
  return client.decide(new URLSearchParams(parametersOf(asked)));
}

type Pair = [name: string, value: string];

function parametersOf({ user, rollout, path, method, ip, ...given }: GatewayQuestion): Pair[] {
  if (given.header.some((header) => isNamed(header, 'cookie'))) {
    throw new GraygateError(
      'usage',
      'expected --cookie NAME=VALUE in the place of a header Cookie together with --url',
    );
  }
  const host = given.host ?? given.header.find((header) => isNamed(header, 'host'))?.value;
  const headers = given.header.filter((header) => !isNamed(header, 'host'));
  const plain = Object.entries({ path, method, ip, host, user, rollout });
  return [
    ...plain.filter((pair): pair is Pair => pair[1] !== undefined),
    ...pairsOf('header', headers),
    ...pairsOf('cookie', given.cookie),
    ...pairsOf('query', given.query),
    ...pairsOf('claim', given.claim),
  ];
}

function pairsOf(kind: string, values: readonly NamedValue[]): Pair[] {
  return values.map(({ name, value }) => [`${kind}.${name}`, value]);
}
