// Connections that send what is no request are answered and do not stay, whatever their other end does.
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { openAdminPort } from './admin-port.ts';

test('a connection that sends garbage and keeps its side open is closed all the same', async () => {
  const { port, instance } = await openAdminPort();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
  socket.write('GARBAGE\r\n\r\n');
  await eventually('the answer', () => answer.startsWith('HTTP/1.1 400 '));
  const openCount = (): Promise<number> =>
    new Promise((resolve, reject) =>
      instance.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    );
  await eventually('the end of the connection', async () => (await openCount()) === 0);
  socket.destroy();
});
