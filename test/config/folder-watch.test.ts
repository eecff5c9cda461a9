import assert from 'node:assert/strict';
import { mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { foldersOnTheWay, FolderWatch } from '../../src/config/folder-watch.ts';
import { temporaryFolder } from './policy-folder.ts';

suite('the folders on the way to a file', () => {
  test('are its own, and those of every link on the way', async (t) => {
    const root = await realpath(await temporaryFolder(t));
    await mkdir(join(root, 'a/..day1'), { recursive: true });
    await mkdir(join(root, 'b'));
    await writeFile(join(root, 'a/..day1/p.yaml'), '');
    await symlink('..day1', join(root, 'a/..data'));
    await symlink('..data/p.yaml', join(root, 'a/p.yaml'));
    await symlink('../a', join(root, 'b/link'));
    assert.deepEqual(await foldersOnTheWay(join(root, 'a/..day1/p.yaml')), [join(root, 'a/..day1')]);
    assert.deepEqual(await foldersOnTheWay(join(root, 'a/p.yaml')), [join(root, 'a'), join(root, 'a/..day1')]);
    assert.deepEqual(await foldersOnTheWay(join(root, 'b/link/p.yaml')), [
      join(root, 'b'),
      join(root, 'a'),
      join(root, 'a/..day1'),
    ]);
  });

  test('end where the path does', async (t) => {
    const root = await realpath(await temporaryFolder(t));
    await symlink('nowhere/at/all', join(root, 'broken'));
    assert.deepEqual(await foldersOnTheWay(join(root, 'x/y/z')), [root]);
    assert.deepEqual(await foldersOnTheWay(join(root, 'broken')), [root]);
  });

  test('are found for links that lead in a circle', async (t) => {
    const root = await realpath(await temporaryFolder(t));
    await symlink('b', join(root, 'a'));
    await symlink('a', join(root, 'b'));
    assert.deepEqual(await foldersOnTheWay(join(root, 'a')), [root]);
  });
});

test('a folder that is removed and made anew is watched anew', { timeout: 60_000 }, async (t) => {
  const folder = join(await temporaryFolder(t), 'f');
  await mkdir(folder);
  let happened = Promise.withResolvers<void>();
  const watch = new FolderWatch(() => happened.resolve());
  t.after(() => watch.close());
  await watch.follow([folder]);
  await rm(folder, { recursive: true });
  await happened.promise;
  await wait(100);
  await mkdir(folder);
  await watch.follow([folder]);
  happened = Promise.withResolvers<void>();
  await writeFile(join(folder, 'x'), 'x');
  await happened.promise;
});
