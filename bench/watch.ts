// What events and experiments cost a request: `npm run bench:watch`. Above all that a request which is no event costs next to nothing.
import { styleText } from 'node:util';
import { BusinessWatch, type PolicyWatch } from '../src/gateway/events/business-watch.ts';
import { RequestFacts } from '../src/gateway/facts.ts';
import { loadPolicy } from '../src/config/load-policy.ts';
import { compileRollouts } from '../src/rollout/matching.ts';
import { decide } from '../src/rollout/decide.ts';
import type { Policy } from '../src/rollout/policy.ts';
import { SplitCells } from '../src/rollout/split.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const requestCount = 20_000;
const roundCount = 25;
const goalNs = 500;
const noProxies = { has: () => false };

const eventsOf = (count: number): string =>
  Array.from(
    { length: count },
    (_, i) => `\n      - { name: e-${i}, on: { method: [POST, PUT], path: [/orders/${i}, /basket/${i}] }, value: 1 }`,
  ).join('');

async function policyWith(keys: string): Promise<Policy> {
  const folder = await mkdtemp(join(tmpdir(), 'graygate-bench-'));
  const file = join(folder, 'policy.yaml');
  await writeFile(
    file,
    `version: 1
listen: 127.0.0.1:0
rollouts:
  - name: shop
    versions: { stable: { servers: http://127.0.0.1:1 }, canary: { servers: http://127.0.0.1:2 } }
    split: { canary: 10 }
${keys}`,
  );
  const loaded = await loadPolicy(file, {});
  await rm(folder, { recursive: true });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.policy;
}

type Asked = { readonly method: string; path(i: number): string; user(i: number): string };

function ignore(): void {}

/** Nanoseconds a request, what is decided before not included: the quietest of many rounds. */
function measure(policy: Policy, asked: Asked): number {
  const cells = new SplitCells();
  const business = new BusinessWatch({ cellOf: (r) => cells.of(r), exposed: ignore, happened: ignore, unread: ignore });
  const watch = business.over(policy);
  const table = compileRollouts(policy);
  const requests = Array.from({ length: requestCount }, (_, i) => {
    const rawHeaders = ['Host', 'shop.example.com', 'X-User-Id', asked.user(i)];
    const request = { method: asked.method, url: asked.path(i), rawHeaders, remoteAddress: '192.0.2.1' } as const;
    const facts = new RequestFacts({ ...request, scheme: 'http' }, noProxies);
    const decision = decide(table.rollouts[0]!, cells.of(policy.rollouts[0]!).current, facts);
    return { facts, rawHeaders, requestId: `r-${i}`, decision };
  });
  let quietestNs = Infinity;
  for (let round = 0; round < roundCount; round += 1) {
    quietestNs = Math.min(quietestNs, timeRound(watch, policy, requests));
  }
  return quietestNs;
}

function timeRound(watch: PolicyWatch, { rollouts }: Policy, requests: readonly Parameters<Watcher>[0][]): number {
  const notes = watch.notesOf(rollouts[0]!);
  const onlooker = watch.onlookerOf(rollouts[0]!);
  const began = process.hrtime.bigint();
  for (const request of requests) {
    notes?.note(request.decision, request.facts);
    const tap = onlooker?.watch(request) ?? null;
    if (tap === null) continue;
    tap.head(200, []);
    tap.end(true);
  }
  return Number(process.hrtime.bigint() - began) / requests.length;
}

type Watcher = NonNullable<ReturnType<PolicyWatch['onlookerOf']>>['watch'];

const returning = (i: number): string => `user-${i % 1_000}`;
const asNothing: Asked = { method: 'GET', path: (i) => `/item/${i % 500}`, user: returning };
const otherPath: Asked = { ...asNothing, method: 'POST', path: (i) => `/orders/old/${i % 500}` };
const asEvent: Asked = { ...asNothing, method: 'POST', path: (i) => `/orders/${i % 50}` };
const manyUsers: Asked = { ...asNothing, user: (i) => `user-${i}` };

const none = await policyWith('');
const few = await policyWith(`    events:${eventsOf(1)}\n`);
const many = await policyWith(`    events:${eventsOf(50)}\n`);
const rows: readonly (readonly [what: string, policy: Policy, asked: Asked, isGoal: boolean])[] = [
  ['no events in the policy', none, asNothing, true],
  ['1 event, another method; the user was noted today', few, asNothing, true],
  ['50 events, another method; the user was noted today', many, asNothing, true],
  ['50 events, another path; the user was noted today', many, otherPath, true],
  ['50 events, another method; 20,000 users', many, manyUsers, true],
  ['50 events, the request is one', many, asEvent, false],
];
const results = rows.map(([what, policy, asked, isGoal]) => ({ what, isGoal, ns: measure(policy, asked) }));
const isMet = results.every(({ ns, isGoal }) => !isGoal || ns < goalNs);
process.stdout.write(`nanoseconds a request, beside its decision\n`);
for (const { what, ns } of results) process.stdout.write(`${what.padEnd(56)}${ns.toFixed(0).padStart(6)}\n`);
process.stdout.write(
  `${styleText(isMet ? 'green' : 'red', `goal: below ${goalNs} where the request is no event: ${isMet ? 'met' : 'missed'}`)}\n`,
);
