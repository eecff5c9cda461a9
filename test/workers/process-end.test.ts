import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { endOf } from '../../src/workers/process-end.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/serving.ts';

function start(t: { after(fn: () => void): void }, program: string): ChildProcess {
  const file = join(temporaryFolder(t), 'child.mjs');
  writeFileSync(file, program);
  const child = fork(file, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  t.after(() => void child.kill('SIGKILL'));
  return child;
}

test('a process that dies with a connection on its way to it has ended, and what it said before is heard', async (t) => {
  const child = start(t, `process.on('message', () => undefined); process.send('busy', () => { for (;;); });`);
  const heard: unknown[] = [];
  child.on('message', (message) => heard.push(message));
  await eventually('the process to be busy', () => heard.length === 1);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  const ended = endOf(child);
  child.send('for you', socket, { keepOpen: true }, () => undefined);
  child.kill('SIGKILL');
  assert.deepEqual(await ended, { code: null, signal: 'SIGKILL' });
  assert.deepEqual(heard, ['busy']);
});

test('a process that ends by itself says with which code, after its last word', async (t) => {
  const child = start(t, `process.send('x'.repeat(1_000_000), () => process.exit(3));`);
  let heardLength = 0;
  child.on('message', (message: string) => (heardLength += message.length));
  assert.deepEqual(await endOf(child), { code: 3, signal: null });
  assert.equal(heardLength, 1_000_000);
});

test('a process that cannot be started has ended', async () => {
  const child = fork('nowhere.mjs', { execPath: '/nowhere/node' });
  child.on('error', () => undefined);
  assert.deepEqual(await endOf(child), { code: null, signal: null });
});
