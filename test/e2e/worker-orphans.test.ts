// Workers that lose their control process before they serve. (Those that serve: worker-lives.test.ts.)
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { childrenOf } from '../support/child-processes.ts';
import { eventually } from '../support/eventually.ts';
import { startUpstream, temporaryFolder } from '../support/serving.ts';
import { isAlive, workerPolicy } from '../support/worker-gateway.ts';

const skip = process.platform === 'linux' ? false : 'reads /proc';

test('a worker that was still loading when its control process was killed is gone too', { skip }, async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const folder = temporaryFolder(t);
  const policyFile = join(folder, 'graygate.yaml');
  writeFileSync(policyFile, workerPolicy({ stable, canary: stable }));
  // As an agent of a monitoring vendor does that is loaded before everything else.
  const slow = "data:text/javascript,import { setTimeout } from 'node:timers/promises'; await setTimeout(1500)";
  const control = spawn(process.execPath, ['bin/graygate.js', 'serve', '-c', policyFile], {
    env: { ...process.env, NODE_OPTIONS: `--import "${slow}"` },
    stdio: 'ignore',
  });
  const workers = await eventually('both workers', () => {
    const pids = childrenOf(control.pid!);
    return pids.length === 2 ? pids : null;
  });
  t.after(() => workers.filter(isAlive).forEach((pid) => process.kill(pid, 'SIGKILL')));
  control.kill('SIGKILL');
  await eventually('the workers to be gone', () => !workers.some(isAlive));
});
