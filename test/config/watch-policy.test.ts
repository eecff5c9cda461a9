import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { appendFile, mkdir, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { loadPolicy } from '../../src/config/load-policy.ts';
import { watchPolicy } from '../../src/config/watch-policy.ts';
import { percentPolicy, recordPolicy } from './policy-recorder.ts';
import { temporaryFolder } from './policy-folder.ts';

const timeout = 60_000;
const usersRule = '    rules: [{ name: a, when: { user: { file: testers.txt } }, use: canary }]\n';

/** As Kubernetes lays a ConfigMap out: the file is a link into `..data`, which is a link to the folder of the day. */
async function layConfigMap(folder: string): Promise<string> {
  await mkdir(join(folder, '..day1'));
  await writeFile(join(folder, '..day1/p.yaml'), percentPolicy(10));
  await symlink('..day1', join(folder, '..data'));
  await symlink('..data/p.yaml', join(folder, 'p.yaml'));
  return join(folder, 'p.yaml');
}

async function swapLink(path: string, target: string): Promise<void> {
  await symlink(target, `${path}_tmp`);
  await rename(`${path}_tmp`, path);
}

async function layWithUsers(folder: string): Promise<string> {
  await writeFile(join(folder, 'testers.txt'), 'u-1\n');
  await writeFile(join(folder, 'p.yaml'), percentPolicy(10, usersRule));
  return join(folder, 'p.yaml');
}

suite('a change is noticed', { timeout }, () => {
  test('when the file is written in place, again and again', async (t) => {
    const { file, reports, reported } = await recordPolicy(t);
    for (const percent of [20, 30, 5]) {
      await writeFile(file, percentPolicy(percent));
      await reported(reports.length + 1);
    }
    assert.deepEqual(reports, [20, 30, 5]);
  });

  test('when another file is renamed over it, again and again', async (t) => {
    const { folder, file, reports, reported } = await recordPolicy(t);
    for (const percent of [20, 30]) {
      await writeFile(join(folder, 'next'), percentPolicy(percent));
      await rename(join(folder, 'next'), file);
      await reported(reports.length + 1);
    }
    assert.deepEqual(reports, [20, 30]);
  });

  test('when a ConfigMap is swapped, again and again', async (t) => {
    const { folder, reports, reported } = await recordPolicy(t, { lay: layConfigMap });
    for (const day of [2, 3]) {
      await mkdir(join(folder, `..day${day}`));
      await writeFile(join(folder, `..day${day}/p.yaml`), percentPolicy(day));
      await swapLink(join(folder, '..data'), `..day${day}`);
      await rm(join(folder, `..day${day - 1}`), { recursive: true });
      await reported(reports.length + 1);
    }
    assert.deepEqual(reports, [2, 3]);
  });

  test('when the folder that it is in is a link and is swapped', async (t) => {
    const { folder, reports, reported } = await recordPolicy(t, {
      async lay(root) {
        for (const [name, percent] of Object.entries({ one: 10, two: 20 })) {
          await mkdir(join(root, name));
          await writeFile(join(root, name, 'p.yaml'), percentPolicy(percent));
        }
        await symlink(join(root, 'one'), join(root, 'current'));
        return join(root, 'current/p.yaml');
      },
    });
    await swapLink(join(folder, 'current'), join(folder, 'two'));
    await reported(1);
    assert.deepEqual(reports, [20]);
  });

  test('when a file of users that it names changes, and when that is renamed over', async (t) => {
    const { folder, reports, reported } = await recordPolicy(t, { lay: layWithUsers });
    await writeFile(join(folder, 'testers.txt'), 'u-1\nu-2\n');
    await reported(1);
    await writeFile(join(folder, 'next'), 'u-3\nu-4\n');
    await rename(join(folder, 'next'), join(folder, 'testers.txt'));
    await reported(2);
    assert.deepEqual(reports, [10, 10]);
  });

  test('when a file of users comes to be, in a folder that nothing else is in', async (t) => {
    const { folder, file, reports, reported } = await recordPolicy(t, { unfinishedMs: 100 });
    await writeFile(file, percentPolicy(20, usersRule.replace('testers', 'lists/testers')));
    await reported(1);
    await mkdir(join(folder, 'lists'));
    await writeFile(join(folder, 'lists/testers.txt'), 'u-1\n');
    await reported(2);
    assert.deepEqual(reports, ['rejected', 20]);
  });

  test('when the file goes away and comes back', async (t) => {
    const { file, reports, reported } = await recordPolicy(t, { unfinishedMs: 100 });
    await rm(file);
    await reported(1);
    await writeFile(file, percentPolicy(20));
    await reported(2);
    assert.deepEqual(reports, ['rejected', 20]);
  });

  test('when it was made between the first load and the watch', async (t) => {
    const folder = await temporaryFolder(t);
    const file = join(folder, 'p.yaml');
    await writeFile(file, percentPolicy(10));
    const loaded = await loadPolicy(file, {});
    assert.ok(loaded.ok);
    await writeFile(file, percentPolicy(20));
    const reports: unknown[] = [];
    const watch = await watchPolicy({
      file,
      env: {},
      loaded,
      onLoaded: ({ rollouts }) => reports.push(rollouts[0]?.split),
      onRejected: () => reports.push('rejected'),
    });
    await watch.close();
    assert.deepEqual(reports, [{ canary: 20 }]);
  });
});

suite('what is no change is not reported', { timeout }, () => {
  test('a touch, the same content, and another file in the folder', async (t) => {
    const { folder, file, reports, reported } = await recordPolicy(t);
    await utimes(file, new Date(), new Date());
    await writeFile(file, percentPolicy(10));
    await writeFile(join(folder, 'other'), 'x');
    await wait(300);
    await writeFile(file, percentPolicy(20));
    await reported(1);
    assert.deepEqual(reports, [20]);
  });

  test('a burst of writes is reported once, with the last of them', async (t) => {
    const { file, reports, reported } = await recordPolicy(t, { quietMs: 1_000 });
    for (let percent = 1; percent <= 50; percent += 1) await writeFile(file, percentPolicy(percent));
    await reported(1);
    assert.deepEqual(reports, [50]);
  });
});

suite('a bad policy', { timeout }, () => {
  test('is reported once and followed by the good one', async (t) => {
    const { file, reports, reported } = await recordPolicy(t);
    await writeFile(file, `${percentPolicy(20)}unknown: 1\n`);
    await reported(1);
    await writeFile(file, percentPolicy(20));
    await reported(2);
    assert.deepEqual(reports, ['rejected', 20]);
  });

  test('is taken back by the old one, which is reported so that the error can be forgotten', async (t) => {
    const { file, reports, reported } = await recordPolicy(t);
    await writeFile(file, `${percentPolicy(10)}unknown: 1\n`);
    await reported(1);
    await writeFile(file, percentPolicy(10));
    await reported(2);
    assert.deepEqual(reports, ['rejected', 10]);
  });
});

suite('a file that is half written', { timeout }, () => {
  const full = `${percentPolicy(20)}    fallback: none\n`;

  for (const [name, cut] of Object.entries({
    'cut within a line': full.lastIndexOf(' none'),
    'cut at a line, so that it is a valid policy which says less': full.indexOf('    split'),
    'cut to nothing': 0,
  })) {
    test(`${name} is not taken before the rest is there`, async (t) => {
      const { file, reports, reported } = await recordPolicy(t);
      await writeFile(file, full.slice(0, cut));
      // The writer takes its time: several times as long as a whole file has to be left alone.
      await wait(500);
      await appendFile(file, full.slice(cut));
      await reported(1);
      assert.deepEqual(reports, [20]);
    });
  }

  test('is not taken when its writer begins again while it is read', async (t) => {
    const begunAgain = Promise.withResolvers<void>();
    const env = {
      get SALT() {
        truncateSync(file);
        begunAgain.resolve();
        return 'salt';
      },
    };
    const { file, reports, reported } = await recordPolicy(t, { env });
    await writeFile(file, percentPolicy(20, '    salt: ${SALT}\n'));
    await begunAgain.promise;
    await writeFile(file, percentPolicy(30));
    await reported(1);
    assert.deepEqual(reports, [30]);
  });

  test('is taken at last when nothing more comes', async (t) => {
    const { file, reports, reported } = await recordPolicy(t, { unfinishedMs: 500 });
    await truncate(file, percentPolicy(10).indexOf('    split'));
    await reported(1);
    assert.deepEqual(reports, [0]);
  });

  test('is not what a policy is that was shortened a while ago and renamed into place', async (t) => {
    const { folder, file, reports, reported } = await recordPolicy(t);
    const next = join(folder, 'next');
    await writeFile(next, percentPolicy(10).slice(0, percentPolicy(10).indexOf('    split')));
    await utimes(next, new Date(0), new Date(0));
    await rename(next, file);
    await reported(1);
    assert.deepEqual(reports, [0]);
  });
});

suite('reload', { timeout }, () => {
  test('loads at once, waits for no quiet, and reports also what has not changed', async (t) => {
    const { file, watch, reports } = await recordPolicy(t, { quietMs: 60_000 });
    await watch.reload();
    await writeFile(file, percentPolicy(20));
    await watch.reload();
    await writeFile(file, 'version: 1\n');
    await watch.reload();
    assert.deepEqual(reports, [10, 20, 'rejected']);
  });

  test('that is asked for many times at once reports each time, in order', async (t) => {
    const { watch, reports } = await recordPolicy(t);
    await Promise.all([watch.reload(), watch.reload(), watch.reload()]);
    assert.deepEqual(reports, [10, 10, 10]);
  });
});

suite('close', { timeout }, () => {
  test('ends all reports, also of a change that was seen and waited for', async (t) => {
    const { file, watch, reports } = await recordPolicy(t, { quietMs: 400 });
    await writeFile(file, percentPolicy(20));
    await wait(150);
    await watch.close();
    await writeFile(file, percentPolicy(30));
    await watch.reload();
    await wait(600);
    assert.deepEqual(reports, []);
  });

  test('may be called twice', async (t) => {
    const { watch } = await recordPolicy(t);
    await Promise.all([watch.close(), watch.close()]);
    await watch.close();
  });
});
