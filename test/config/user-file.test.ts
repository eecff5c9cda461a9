import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { readUserFile } from '../../src/config/user-file.ts';
import { temporaryFolder } from './policy-folder.ts';

async function readBytes(t: Parameters<typeof temporaryFolder>[0], content: string | Buffer) {
  const path = join(await temporaryFolder(t), 'users.txt');
  await writeFile(path, content);
  return readUserFile(path);
}

suite('one ID a line', () => {
  const rows: [name: string, content: string, users: string[]][] = [
    ['LF', 'a\nb\n', ['a', 'b']],
    ['no line break at the end', 'a\nb', ['a', 'b']],
    ['CRLF', 'a\r\nb\r\n', ['a', 'b']],
    ['a byte order mark', '\u{feff}a\nb\n', ['a', 'b']],
    ['a byte order mark that is not at the beginning', 'a\n\u{feff}b\n', ['a', '\xef\xbb\xbfb']],
    ['blank lines and white space around', '\n  a \n\t\n\n b\t\n', ['a', 'b']],
    ['white space within', 'a b\n', ['a b']],
    ['comments', '# all\na\n  # more\nb#c\n', ['a', 'b#c']],
    ['one ID twice', 'a\na\n', ['a']],
    ['Chinese', '深圳\n', ['\xe6\xb7\xb1\xe5\x9c\xb3']],
    ['an ID that ends in the byte of a no-break space', 'à\n', ['\xc3\xa0']],
    ['nothing', '', []],
  ];
  for (const [name, content, users] of rows) {
    test(name, async (t) => {
      const result = await readBytes(t, content);
      assert.deepEqual(result.ok ? [...result.users] : result, users);
    });
  }
});

test('a line that is not UTF-8 is found, in the last line too', async (t) => {
  for (const [content, line] of [
    [Buffer.from([0x61, 0x0a, 0x0a, 0xe6, 0xb7, 0x0a]), 3],
    [Buffer.from([0x61, 0x0a, 0xff]), 2],
  ] as const) {
    const result = await readBytes(t, content);
    assert.deepEqual(result.ok ? null : [result.line, result.problem], [line, 'not UTF-8']);
  }
});

test('a line without end is refused before it fills the memory', async (t) => {
  const result = await readBytes(t, `a\n${'x'.repeat(1_000_000)}`);
  assert.deepEqual(result.ok ? null : [result.line, result.problem], [2, 'a line longer than 4096 bytes']);
});

test('a million lines are read whole, across every border of a chunk, and the loop goes on meanwhile', async (t) => {
  const lines = Array.from({ length: 1_000_000 }, (_, i) => `user-用户-${i}`);
  const path = join(await temporaryFolder(t), 'users.txt');
  await writeFile(path, lines.join('\n'));
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  const result = await readUserFile(path);
  clearInterval(timer);
  assert.ok(result.ok);
  assert.equal(result.users.size, 1_000_000);
  for (const i of [0, 1, 499_999, 777_777, 999_999]) {
    assert.ok(result.users.has(Buffer.from(`user-用户-${i}`).toString('latin1')), `expected user ${i}`);
  }
  assert.ok(turns > 10, `expected other work to go on, got ${turns} turns`);
});

test('the digest is that of the content', async (t) => {
  const digestOf = async (content: string) => {
    const result = await readBytes(t, content);
    return result.ok ? result.digest : null;
  };
  assert.equal(await digestOf('a\n深\n'), await digestOf('a\n深\n'));
  assert.notEqual(await digestOf('a\n'), await digestOf('b\n'));
});
