// What connections cost that do nothing: `npm run bench -- --case idle-10k`. Each asks once, so that it is one that a browser keeps, and waits.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { measureTree } from './process-tree.ts';
import { layOut } from './report.ts';
import type { Running } from './running.ts';

/** As many are opened at a time. */
const batchSize = 200;
/** A connection. */
const goalBytes = 6.4 * 1024;

/** Measures one proxy after the other. Returns a table, and whether every connection was answered and is still open. */
export async function measureIdle(
  running: readonly Running[],
  connectionCount: number,
): Promise<{ text: string; isSound: boolean }> {
  const rows: string[][] = [];
  let isSound = true;
  for (const { name, pid, port } of running) {
    const before = measureTree(pid).residentBytes;
    const sockets = await openConnections(port, connectionCount);
    await sleep(1_000);
    const grown = measureTree(pid).residentBytes - before;
    const openCount = sockets.filter((socket) => !socket.destroyed && socket.bytesRead > 0).length;
    isSound &&= openCount === connectionCount;
    rows.push([name, `${openCount}`, megabytes(before), megabytes(grown), (grown / connectionCount / 1024).toFixed(1)]);
    for (const socket of sockets) socket.destroy();
    await sleep(500);
  }
  const head = ['proxy', 'idle', 'before MiB', 'more MiB', 'KiB each'];
  return { text: `${layOut([head, ...rows])}\ngoal: ${megabytes(goalBytes * connectionCount)} MiB more`, isSound };
}

async function openConnections(port: number, connectionCount: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < connectionCount) {
    sockets.push(...(await Promise.all(Array.from({ length: batchSize }, () => openConnection(port)))));
  }
  return sockets;
}

async function openConnection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  socket.write('GET /1k HTTP/1.1\r\nHost: 127.0.0.1\r\nx-user-id: idle\r\n\r\n');
  await Promise.race([once(socket, 'data').catch(() => undefined), once(socket, 'close')]);
  socket.resume();
  return socket;
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
