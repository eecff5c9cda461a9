// The connections that are open: who may come, who is forgotten, and what an idle one costs.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { suite, test } from 'node:test';
import { Connections } from '../../src/gateway/connections.ts';

const admitted = (connections: Connections): Socket => {
  const socket = new Socket();
  assert.ok(connections.admit(socket, { isPlain: true }));
  return socket;
};

async function close(socket: Socket): Promise<void> {
  const closed = once(socket, 'close');
  socket.destroy();
  await closed;
}

suite('open connections', () => {
  test('one that closed makes room for another', async () => {
    const refusals: number[] = [];
    const connections = new Connections((status) => refusals.push(status));
    connections.maxCount = 1;
    const first = admitted(connections);
    assert.equal(connections.admit(new Socket(), { isPlain: false }), false);
    assert.deepEqual(refusals, [503]);
    await close(first);
    await close(admitted(connections));
    assert.deepEqual(refusals, [503]);
  });

  test('the last one that closes is the end of all, whichever side of an encrypted one closes first', async () => {
    const connections = new Connections(() => undefined);
    const [plain, encrypted, decrypted] = [admitted(connections), admitted(connections), new Socket()];
    connections.decrypted(decrypted);
    let isOver = false;
    const over = connections.allClosed().then(() => (isOver = true));
    await close(plain);
    await close(decrypted);
    assert.equal(isOver, false);
    await close(encrypted);
    await over;
    await connections.allClosed();
  });

  test('none is looked at again once it has closed', async () => {
    const connections = new Connections(() => undefined);
    const decrypted = new Socket();
    connections.decrypted(decrypted);
    await close(decrypted);
    const destroy = test.mock.method(decrypted, 'destroy');
    connections.closeUnused();
    assert.equal(destroy.mock.callCount(), 0);
  });

  test('an idle one holds no listener of its own', () => {
    const connections = new Connections(() => undefined);
    const sockets = [admitted(connections), admitted(connections), new Socket()];
    connections.decrypted(sockets[2]!);
    const listeners = sockets.flatMap((socket) => socket.rawListeners('close'));
    assert.equal(listeners.length, sockets.length);
    assert.equal(new Set(listeners).size, 1);
  });
});
