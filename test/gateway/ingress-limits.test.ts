// What the machine gives and what a name stands for: room for connections, shortages that are no server's fault, every address.
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { suite, test } from 'node:test';
import { isOwnShortage } from '../../src/gateway/faults.ts';
import { roomWithin } from '../../src/gateway/ingress/connection-room.ts';
import { addressesOf } from '../../src/gateway/ingress/other-addresses.ts';
import { ConnectFault } from '../../src/gateway/upstream/connector.ts';
import { tlsOf } from '../support/certificates.ts';
import { startGateway } from '../support/gateways.ts';
import { shopPolicy } from '../support/policies.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

suite('room for client connections', () => {
  const rows: readonly [openFiles: string, room: number][] = [
    ['1024                 4096', 768],
    ['1048576              1048576', 786_432],
    ['100                  100', 36],
    ['10                   10', 1],
    ['unlimited            unlimited', Infinity],
  ];
  for (const [openFiles, room] of rows) {
    test(`is ${room} where ${openFiles.split(' ')[0]} files may be open`, () => {
      const limits = `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${openFiles}              files\n`;
      assert.equal(roomWithin(limits), room);
    });
  }

  test('is without end where nothing is known', () => assert.equal(roomWithin(''), Infinity));
});

test('what the machine lacks is no fault of a server, a server that refuses is', () => {
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const short = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  assert.equal(isOwnShortage(new ConnectFault('connect', 'x', refused)), false);
  assert.equal(isOwnShortage(new ConnectFault('connect', 'x', short)), true);
  assert.equal(isOwnShortage(short), true);
  assert.equal(isOwnShortage(null), false);
});

test('every address of localhost is listened on, encrypted all of them', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const policy = shopPolicy({ stable: upstream.origin, tls: tlsOf(), listen: { host: 'localhost', port: 0 } });
  const { port, malformed } = await startGateway(context, policy);
  for (const address of await addressesOf('localhost')) {
    if (!(await isHere(address))) continue;
    const socket = connect(port, address);
    const received = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('error', () => resolve('nobody listens'));
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      socket.on('close', () => resolve(text));
      socket.write('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    });
    assert.doesNotMatch(received, /HTTP|nobody/, address);
  }
  assert.ok(malformed.every((status) => status === 400));
});

/** Whether the machine has an address: many have a name for `::1` and no IPv6. */
function isHere(address: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(0, address, () => server.close(() => resolve(true)));
  });
}
