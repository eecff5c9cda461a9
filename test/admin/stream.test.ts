// The live stream over real connections: what comes, in which form, and who is let go.
import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { suite, test } from 'node:test';
import { changeEventShape, figuresEventShape } from '../../src/admin/contract.ts';
import { eventually } from '../support/eventually.ts';
import { type AdminPort, openAdminPort } from './admin-port.ts';
import { bearer, threeTokens, viewerToken } from './fake-parts.ts';

type Watching = {
  readonly response: IncomingMessage;
  text(): string;
  events(name: string): unknown[];
  isOver(): boolean;
  leave(): void;
};

function watch({ port }: AdminPort, headers: Record<string, string> = {}): Promise<Watching> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path: '/api/v1/stream', headers, agent: false }, (response) => {
      let text = '';
      let isOver = false;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('close', () => (isOver = true));
      response.on('error', () => undefined);
      resolve({
        response,
        text: () => text,
        events: (name) =>
          Array.from(text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)).flatMap(([, event, data = '']) =>
            event === name ? [JSON.parse(data)] : [],
          ),
        isOver: () => isOver,
        leave: () => request.destroy(),
      });
    });
    request.on('error', reject);
  });
}

suite('the stream', () => {
  test('is a stream of events that nobody keeps or holds back', async () => {
    const { response } = await watch(await openAdminPort());
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.equal(response.headers['cache-control'], 'no-store, no-transform');
    assert.equal(response.headers['x-accel-buffering'], 'no');
    assert.equal(response.headers['x-content-type-options'], 'nosniff');
  });

  test('begins with figures and goes on with them', async () => {
    const watching = await watch(await openAdminPort({ figuresEveryMs: 20 }));
    const figures = await eventually('three figures', () => {
      const events = watching.events('figures');
      return events.length >= 3 ? events : null;
    });
    for (const each of figures) assert.deepEqual(figuresEventShape.parse(each), each);
    assert.match(watching.text(), /^retry: 2000\n\n/);
  });

  test('tells every change with its revision', async () => {
    const admin = await openAdminPort({ figuresEveryMs: 60_000 });
    const watchers = await Promise.all([watch(admin), watch(admin)]);
    await admin.act('pause', { json: { reason: 'lunch' } });
    await admin.act('rollback');
    for (const watching of watchers) {
      const changes = await eventually('two changes', () => {
        const events = watching.events('change');
        return events.length === 2 ? events : null;
      });
      for (const each of changes) assert.deepEqual(changeEventShape.parse(each), each);
      const told = changes.map((each) => changeEventShape.parse(each));
      assert.deepEqual(
        told.map(({ rollout, revision, entry }) => [rollout, revision, entry.kind, entry.note]),
        [
          ['shop', 2, 'pause', 'lunch'],
          ['shop', 3, 'rollback', 'because'],
        ],
      );
    }
  });

  test('beats while nothing happens', async () => {
    const watching = await watch(await openAdminPort({ heartbeatEveryMs: 20, figuresEveryMs: 60_000 }));
    await eventually('a heartbeat', () => watching.text().includes('\n: heartbeat\n\n'));
  });

  test('has nothing to tell while nobody knows where the rollouts stand, and then has', async () => {
    const admin = await openAdminPort({ figuresEveryMs: 20, heartbeatEveryMs: 20 });
    admin.rooms.isKnown = false;
    const watching = await watch(admin);
    await eventually('a heartbeat', () => watching.text().includes(': heartbeat'));
    assert.deepEqual(watching.events('figures'), []);
    admin.rooms.isKnown = true;
    await eventually('figures', () => watching.events('figures').length > 0);
    assert.deepEqual(admin.rooms.failures, []);
  });

  test('says what cannot be shown to the log and goes on', async () => {
    const admin = await openAdminPort({ figuresEveryMs: 20 });
    const watching = await watch(admin);
    const { state } = admin.rooms;
    admin.rooms.state = { ...state!, percent: Number.NaN };
    await eventually('a failure', () => admin.rooms.failures.length > 0);
    admin.rooms.state = state;
    const before = watching.events('figures').length;
    await eventually('figures again', () => watching.events('figures').length > before);
  });
});

suite('watchers', () => {
  test('of more than are allowed are refused, and again let in when one leaves', async () => {
    const admin = await openAdminPort({ subscriberCount: 2 });
    const [first] = await Promise.all([watch(admin), watch(admin)]);
    const refused = await admin.ask('/api/v1/stream');
    assert.deepEqual([refused.status, refused.json()['code']], [503, 'too-many-streams']);
    assert.equal(refused.header('content-type'), 'application/problem+json; charset=utf-8');
    first?.leave();
    const again = await eventually('a stream', async () => {
      const watching = await watch(admin);
      return watching.response.statusCode === 200 ? watching : null;
    });
    assert.equal(again.response.statusCode, 200);
  });

  test('who leave are forgotten, and with the last one the work ends', async () => {
    const admin = await openAdminPort();
    const watching = await watch(admin);
    assert.equal(admin.rooms.listenerCount, 1);
    watching.leave();
    await eventually('nobody listens', () => admin.rooms.listenerCount === 0);
  });

  test('who read too slowly are let go, the others stay', async () => {
    const admin = await openAdminPort({ figuresEveryMs: 5, pendingBytes: 4_096 });
    // Much text an event, so that the buffers of the system are soon full.
    const note = 'x'.repeat(200_000);
    admin.rooms.state = { ...admin.rooms.state!, reason: note };
    const slow = connect(admin.port, '127.0.0.1');
    slow.on('error', () => undefined);
    slow.write(`GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    slow.pause();
    await eventually('the slow one watches', () => admin.rooms.listenerCount === 1);
    const quick = await watch(admin);
    await eventually('only the quick one is left', async () => (await connectionsOf(admin)) === 1);
    const before = quick.events('figures').length;
    await eventually('more figures', () => quick.events('figures').length > before);
    slow.destroy();
  });

  test('whose token is taken away are let go', async () => {
    const admin = await openAdminPort({ figuresEveryMs: 20 });
    admin.rooms.tokens = threeTokens;
    const watching = await watch(admin, { authorization: bearer(viewerToken) });
    await eventually('figures', () => watching.events('figures').length > 0);
    admin.rooms.tokens = threeTokens.slice(1);
    await eventually('the end', () => watching.isOver());
  });

  test('do not hold up the end of the admin port', async () => {
    const admin = await openAdminPort();
    const watching = await watch(admin);
    await admin.instance.close();
    await eventually('the end', () => watching.isOver());
    assert.equal(admin.rooms.listenerCount, 0);
  });
});

/** Streams that are open, as the port itself counts sockets. */
function connectionsOf({ instance }: AdminPort): Promise<number> {
  return new Promise((resolve, reject) => {
    instance.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
