// An experiment that ends by itself, in a real process: users through HTTP, events from a server, and the winner gets everyone.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { historyShape, rolloutShape } from '../../src/admin/contract.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/http-client.ts';
import { serve, type Serving, startUpstream, temporaryFolder } from '../support/serving.ts';
import { shopPolicyText } from '../support/shop-policy-text.ts';

const userCount = 1_600;
const clientCount = 16;
const decided = `
events: [{ name: listen }]
experiment:
  metrics: [{ metric: events, event: listen }]
  least: 1s
  stopWhen: decided
  then: promote-winner
`;

test('the version whose users do more is promoted by its experiment, and the audit log has the numbers', async (t) => {
  const shop = await startUpstream(t, (_, response) => response.end('a tea pot'));
  const gateway = await serve(t, temporaryFolder(t), shopPolicyText({ stable: shop.url }, decided));
  const versions = await visit(gateway.port);
  await tell(gateway, versions);
  await eventually('the winner to have everyone', () => isPromoted(gateway));
  const reply = await send({ port: gateway.port, path: '/item', headers: ['x-user-id', 'somebody new'] });
  assert.equal(reply.header('x-graygate-version'), 'canary');
  const history = historyShape.parse(await ask(gateway, '/api/v1/rollouts/shop/history'));
  const entry = history.entries.find(({ kind }) => kind === 'promote');
  assert.equal(entry?.by, 'experiment');
  assert.match(entry?.reason ?? '', /^canary goes from 50 % to 100 % \(promoted\): canary is better than stable: /);
  const [told] = entry?.measured?.experiment?.figures ?? [];
  assert.ok(told!.lower! > 0 && told!.candidateMean! > told!.baselineMean!);
});

/** Everybody comes once; returns who got which version. */
async function visit(port: number): Promise<ReadonlyMap<string, string>> {
  const agent = new Agent({ keepAlive: true, maxSockets: clientCount });
  const versions = new Map<string, string>();
  let next = 0;
  const client = async (): Promise<void> => {
    for (let i = next++; i < userCount; i = next++) {
      const reply = await send({ port, agent, path: '/item', headers: ['host', 'shop', 'x-user-id', `u-${i}`] });
      versions.set(`u-${i}`, reply.header('x-graygate-version') ?? '');
    }
  };
  await Promise.all(Array.from({ length: clientCount }, client));
  agent.destroy();
  return versions;
}

/** Users of the canary listen twice or three times, those of the stable version once or twice. */
async function tell({ adminUrl }: Serving, versions: ReadonlyMap<string, string>): Promise<void> {
  const events = [...versions].flatMap(([user, version], i) => {
    const times = (version === 'canary' ? 2 : 1) + (i % 2);
    return Array.from({ length: times }, (_, nth) => ({
      id: `${user}-${nth}`,
      rollout: 'shop',
      user,
      event: 'listen',
    }));
  });
  for (let from = 0; from < events.length; from += 1_000) {
    const answer = await fetch(`${adminUrl}/api/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events.slice(from, from + 1_000)),
    });
    assert.equal(answer.status, 200);
    await answer.arrayBuffer();
  }
}

async function isPromoted(gateway: Serving): Promise<boolean> {
  const { state } = rolloutShape.parse(await ask(gateway, '/api/v1/rollouts/shop'));
  return state?.phase === 'promoted';
}

async function ask({ adminUrl }: Serving, path: string): Promise<unknown> {
  return (await fetch(`${adminUrl}${path}`)).json();
}
