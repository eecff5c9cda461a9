// A shop behind a gateway whose requests are watched for events.
import type { Rollout } from '../../../src/rollout/policy.ts';
import { eventually } from '../../support/eventually.ts';
import { startGateway, type RunningGateway, type TestContext } from '../../support/gateways.ts';
import { send, type Sending } from '../../support/http-client.ts';
import { shopPolicy } from '../../support/policies.ts';
import { type RecordingAnswer, startRecordingUpstream } from '../../support/recording-upstream.ts';

export type Shop = RunningGateway & { readonly ask: (path: string, sending?: Partial<Sending>) => Promise<number> };

/** The shop behind a gateway; every request is of user `u-1` unless it says otherwise. */
export async function openShop(
  context: TestContext,
  rollout: Partial<Omit<Rollout, 'versions'>>,
  answer: RecordingAnswer | string = 'thanks',
): Promise<Shop> {
  const upstream = await startRecordingUpstream(context, answer);
  const policy = shopPolicy({ stable: upstream.origin, canary: upstream.origin, rollout });
  return shopOf(await startGateway(context, policy));
}

/** A client of a gateway that runs. */
export function shopOf(gateway: RunningGateway): Shop {
  const ask = async (path: string, sending: Partial<Sending> = {}): Promise<number> => {
    const { headers = ['x-user-id', 'u-1'], ...rest } = sending;
    return (await send({ port: gateway.port, path, headers, ...rest })).status;
  };
  return { ...gateway, ask };
}

/** Once all requests have ended and what they brought is read. */
export async function eventsOf({ events, outcomes }: Shop, requestCount: number) {
  await eventually('all outcomes', () => outcomes.length >= requestCount);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  return events;
}
