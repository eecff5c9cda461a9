// The clients that docs/experiments.md shows do what it says they do.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { EventsAnswer } from '../../src/admin/contract-events.ts';
import { fencedBlocks } from '../support/documentation.ts';
import { openAdminPort } from './admin-port.ts';
import { ingestToken, threeTokens } from './fake-parts.ts';

type SendEvents = (url: string, token: string, events: readonly object[]) => Promise<EventsAnswer>;

const text = readFileSync('docs/experiments.md', 'utf8');
const blocks = fencedBlocks(text).map(({ body }) => body);

async function documentedClient(): Promise<SendEvents> {
  const source = blocks.find((body) => body.includes('export async function sendEvents'));
  assert.ok(source !== undefined, 'expected a client in the document');
  const loaded: unknown = await import(`data:text/javascript,${encodeURIComponent(source)}`);
  return (loaded as { sendEvents: SendEvents }).sendEvents;
}

/** The body that the document's curl sends. */
function documentedEvents(): object[] {
  const command = blocks.find((body) => body.includes('-X POST') && body.includes('/api/v1/events'));
  const body = /-d '([^']*)'/.exec(command ?? '')?.[1];
  assert.ok(body !== undefined, 'expected a command that sends events');
  return JSON.parse(body) as object[];
}

test('the events of the example are taken', async () => {
  const { rooms, port } = await openAdminPort();
  rooms.tokens = threeTokens;
  const sendEvents = await documentedClient();
  const answer = await sendEvents(`http://127.0.0.1:${port}`, ingestToken, documentedEvents());
  assert.deepEqual(answer, { accepted: 1, duplicates: 0, rejected: [] });
  assert.ok(text.includes(JSON.stringify(answer)), 'the document shows another answer');
});

test('the client sends a batch again while the store cannot keep up, and says what else is wrong', async () => {
  const { rooms, port } = await openAdminPort();
  rooms.tokens = threeTokens;
  const sendEvents = await documentedClient();
  rooms.isOverloaded = true;
  const sending = sendEvents(`http://127.0.0.1:${port}`, ingestToken, documentedEvents());
  setTimeout(() => (rooms.isOverloaded = false), 200);
  assert.equal((await sending).accepted, 1);
  await assert.rejects(sendEvents(`http://127.0.0.1:${port}`, 'x'.repeat(20), documentedEvents()), /^Error: 401: /);
});

test('the description of the API has the fields that the document lists', async () => {
  const { ask } = await openAdminPort();
  type Schema = { readonly items: { readonly properties: object; readonly required: string[] } };
  type Body = { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
  const { paths } = (await ask('/api/openapi.json')).json() as {
    paths: Record<string, Record<string, { requestBody: Body }>>;
  };
  const { items } = paths['/api/v1/events']!['post']!.requestBody.content['application/json'].schema;
  const table = /\| field \|[\s\S]*?\n\n/.exec(text)?.[0] ?? '';
  const listed = [...table.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap(([, names]) => names!.match(/\w+/g) ?? []);
  assert.deepEqual(listed.toSorted(), Object.keys(items.properties).toSorted());
  assert.deepEqual(items.required.toSorted(), ['event', 'id', 'rollout', 'user']);
});
