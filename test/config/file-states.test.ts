import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { changedFiles, looksUnfinished, outlineOf, signaturesOf, type Outline } from '../../src/config/file-states.ts';
import { temporaryFolder } from './policy-folder.ts';

async function outlined(t: Parameters<typeof temporaryFolder>[0], content: string): Promise<Outline | null> {
  const path = join(await temporaryFolder(t), 'f');
  await writeFile(path, content);
  return outlineOf(path);
}

test('an outline is the number of lines, the last line, and whether it is ended', async (t) => {
  assert.deepEqual(await outlined(t, 'a\nb\n'), { lines: 2, lastLine: 'b', isEnded: true });
  assert.deepEqual(await outlined(t, 'a\nb'), { lines: 1, lastLine: 'b', isEnded: false });
  assert.deepEqual(await outlined(t, ''), { lines: 0, lastLine: '', isEnded: false });
  const long = await outlined(t, 'a line of some length\n'.repeat(20_000));
  assert.deepEqual(long, { lines: 20_000, lastLine: 'a line of some length', isEnded: true });
  assert.equal(await outlineOf('/nowhere/at/all'), null);
});

suite('a file looks unfinished', () => {
  const rows: [name: string, before: string | null, now: string | null, isUnfinished: boolean][] = [
    ['when it is gone', 'a\nb\n', null, true],
    ['when it is empty', 'a\nb\n', '', true],
    ['when it is blank', 'a\nb\n', '\n\n', true],
    ['when it is cut within a line', 'a\nbcd\n', 'a\nbc', true],
    ['when it is cut at a line', 'a\nb\nc\n', 'a\nb\n', true],
    ['when it is new and does not end', null, 'a', true],
    ['not when it is new and ends', null, 'a\n', false],
    ['not when it is the same', 'a\nb\n', 'a\nb\n', false],
    ['not when a line changed, the last one too', 'a\nb: 10\n', 'a\nb: 0\n', false],
    ['not when a line within was removed', 'a\nb\nc\n', 'a\nc\n', false],
    ['not when it grew', 'a\nb\n', 'a\nb\nc\n', false],
    ['not when it never ended', 'a\nb: 10', 'a\nb: 0', false],
    ['when it never ended and lost its end', 'a\nb\nc', 'a\nb', true],
  ];
  for (const [name, before, now, isUnfinished] of rows) {
    test(name, async (t) => {
      const outlineBefore = before === null ? null : await outlined(t, before);
      assert.equal(looksUnfinished(outlineBefore, now === null ? null : await outlined(t, now)), isUnfinished);
    });
  }
});

test('signatures differ after a write, and a file that cannot be seen is absent', async (t) => {
  const folder = await temporaryFolder(t);
  const [a, b, c] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'c')];
  await writeFile(a, '1');
  await writeFile(b, '1');
  const before = await signaturesOf([a, b, c]);
  assert.equal(before.get(c), 'absent');
  await writeFile(a, '12');
  await mkdir(c);
  assert.deepEqual(changedFiles(before, await signaturesOf([a, b, c])), [a, c]);
  assert.deepEqual(changedFiles(before, await signaturesOf([b])), []);
});
