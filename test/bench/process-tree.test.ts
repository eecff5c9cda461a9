import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { measureTree, parseStat, treeOf, type ProcessStat } from '../../bench/process-tree.ts';

const isLinux = process.platform === 'linux';

test('a line of /proc/PID/stat is read whatever the name of the program has in it', () => {
  const line = '4711 (a) b (c)) S 12 4711 4711 0 -1 4194560 1 0 0 0 250 75 9 9 20 0 11 0 3500';
  assert.deepEqual(parseStat(line), { pid: 4711, parent: 12, cpuMicroseconds: 3_250_000 });
});

test('the real line of this process is read', { skip: isLinux ? false : 'needs Linux: /proc' }, () => {
  const { pid, parent, cpuMicroseconds } = parseStat(readFileSync('/proc/self/stat', 'utf8'));
  assert.deepEqual([pid, parent], [process.pid, process.ppid]);
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  assert.ok(cpuMicroseconds <= userCPUTime + systemCPUTime + 50_000);
  assert.ok(cpuMicroseconds >= (userCPUTime + systemCPUTime) / 2 - 50_000);
});

test('a tree is the process and all below it, and nothing beside it', () => {
  const processes = [idle(1, 0), idle(10, 1), idle(11, 10), idle(12, 11), idle(20, 1)];
  assert.deepEqual(
    treeOf(10, processes).map(({ pid }) => pid),
    [10, 11, 12],
  );
});

test('the work of a child counts for its parent', { skip: isLinux ? false : 'needs Linux: /proc' }, async () => {
  const burn = `const end = process.cpuUsage().user + 300000; while (process.cpuUsage().user < end); console.log('done'); setInterval(() => {}, 1000);`;
  const parent = spawn('sh', ['-c', '"$0" -e "$1" & wait', process.execPath, burn], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(parent.stdout, 'data');
    const { cpuMicroseconds, residentBytes } = measureTree(parent.pid ?? 0);
    assert.ok(cpuMicroseconds >= 280_000, `expected the 300 ms of the child, got ${cpuMicroseconds} µs`);
    assert.ok(residentBytes > 20e6, `expected the memory of a Node.js, got ${residentBytes} bytes`);
  } finally {
    if (parent.pid !== undefined) process.kill(-parent.pid, 'SIGKILL');
  }
});

test('a process that is gone is an error, not a zero', { skip: isLinux ? false : 'needs Linux: /proc' }, () => {
  assert.throws(() => measureTree(2 ** 30), /process 1073741824 is gone/);
});

function idle(pid: number, parent: number): ProcessStat {
  return { pid, parent, cpuMicroseconds: 0 };
}
