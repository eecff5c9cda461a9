// Who gets a connection, with real sockets and workers that only hold them.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { Acceptor, type Taker } from '../../src/workers/acceptor.ts';
import { eventually } from '../support/eventually.ts';

class Holder implements Taker {
  readonly held: Socket[] = [];
  hasRoom = true;

  get openCount(): number {
    return this.held.length;
  }

  hand(socket: Socket): void {
    this.held.push(socket);
  }
}

type Cleanup = { after(fn: () => void): void };

async function accepting(t: Cleanup) {
  const acceptor = new Acceptor();
  const port = await acceptor.listen({ host: '127.0.0.1', port: 0 });
  const clients: Socket[] = [];
  const holders: Holder[] = [];
  t.after(() => {
    acceptor.close();
    for (const socket of [...clients, ...holders.flatMap(({ held }) => held)]) socket.destroy();
  });
  return {
    acceptor,
    port,
    open: (count: number): Socket[] => {
      const opened = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => undefined));
      clients.push(...opened);
      return opened;
    },
    add: (): Holder => {
      const holder = new Holder();
      holders.push(holder);
      acceptor.add(holder);
      return holder;
    },
  };
}

test('the worker with the fewest connections gets the next one', async (t) => {
  const { add, open } = await accepting(t);
  const [first, second] = [add(), add()];
  open(10);
  await eventually('all to be handed out', () => first.openCount + second.openCount === 10);
  assert.deepEqual([first.openCount, second.openCount], [5, 5]);
  const third = add();
  open(5);
  await eventually('the new one to catch up', () => third.openCount === 5);
});

test('a worker without room is passed over, and none with room lets connections wait', async (t) => {
  const { acceptor, add, open } = await accepting(t);
  const [full, free] = [add(), add()];
  full.hasRoom = false;
  open(4);
  await eventually('the other one to get all', () => free.openCount === 4);
  free.hasRoom = false;
  open(3);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(full.openCount + free.openCount, 4);
  full.hasRoom = true;
  acceptor.handOut();
  await eventually('those that waited to be handed out', () => {
    acceptor.handOut();
    return full.openCount === 3;
  });
});

test('what a dead worker had not begun to serve goes to another', async (t) => {
  const { acceptor, add, open } = await accepting(t);
  const dying = add();
  open(3);
  await eventually('all to be handed out', () => dying.openCount === 3);
  acceptor.remove(dying);
  for (const socket of dying.held.splice(0)) acceptor.offer(socket);
  const other = add();
  assert.equal(other.openCount, 3);
});

test('at the end nothing is accepted, and what waits is closed', async (t) => {
  const { acceptor, port, open } = await accepting(t);
  const [waiting] = open(1);
  const closed = new Promise<void>((resolve) => waiting!.once('close', () => resolve()));
  await new Promise((resolve) => waiting!.once('connect', resolve));
  acceptor.close();
  await closed;
  const refused = connect(port, '127.0.0.1');
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => refused.once('error', resolve));
  assert.equal(error.code, 'ECONNREFUSED');
});

test('an address that is taken is said at once', async (t) => {
  const { port } = await accepting(t);
  await assert.rejects(new Acceptor().listen({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' });
});
