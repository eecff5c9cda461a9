// Keeps config/reference.yaml true: every key of the schema is in it, no other is, and its comments name the real defaults.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { suite, test } from 'node:test';
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { loadPolicy } from '../../src/config/load-policy.ts';
import { policySchema } from '../../src/config/policy-schema.ts';
import { policyKeysOf } from '../support/real-surface.ts';
import { placedWarnings } from '../../src/config/warnings.ts';

type Mention = { readonly key: string; readonly comment: string };

const file = 'config/reference.yaml';
const text = await readFile(file, 'utf8');
const keys = policyKeysOf(policySchema);
const mentions = mentionsIn(text);

/** Every key that is written in the file, with the comment at the end of its line. */
function mentionsIn(source: string): Mention[] {
  const lineCounter = new LineCounter();
  const found: Mention[] = [];
  const lines = source.split('\n');
  const walk = (node: unknown, path: string): void => {
    if (isSeq(node)) for (const item of node.items) walk(item, `${path}[${metricOf(item)}]`);
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      assert.ok(isScalar(key) && typeof key.value === 'string');
      const at = pathBelow(path, key.value);
      const { line } = lineCounter.linePos(key.range?.[0] ?? 0);
      found.push({ key: at, comment: / # (.*)$/.exec(lines[line - 1] ?? '')?.[1] ?? '' });
      walk(value, at);
    }
  };
  walk(parseDocument(source, { lineCounter }).contents, '');
  return found;
}

/** Checks are told apart by their metric, as `policyKeysOf` does. */
function metricOf(item: unknown): string {
  const metric = isMap(item) ? item.get('metric') : '';
  return typeof metric === 'string' ? metric : '';
}

/** As `policyKeysOf` writes keys: `NAME` where the user chooses, matchers under one name. */
function pathBelow(path: string, name: string): string {
  if (/\.(versions|split|(when|exclude\[\]|on)\.(header|cookie|query|jwt))$/.test(path)) return `${path}.NAME`;
  if (/\.(when|exclude\[\]|on)\.\w+(\.NAME)?$/.test(path)) return `MATCHER.${name}`;
  return path === '' ? name : `${path}.${name}`;
}

function commentsOn(key: string): string[] {
  return mentions.filter((mention) => mention.key === key).map(({ comment }) => comment);
}

function defaultIn(comment: string): string | null {
  return /default: (.*)$/.exec(comment)?.[1] ?? null;
}

function shown(value: unknown): string | null {
  if (value === null) return null;
  return Array.isArray(value) ? `[${value.join(', ')}]` : JSON.stringify(value).replaceAll('"', '');
}

suite('the reference policy', () => {
  test('has no problem', async () => {
    const result = await loadPolicy(file, {});
    assert.equal(result.ok, true, JSON.stringify(result, null, 1));
  });

  test('has no warning', async () => {
    const result = await loadPolicy(file, {});
    assert.deepEqual(result.ok ? placedWarnings(result) : null, []);
  });

  test('has every key of the schema', () => {
    assert.ok(keys.length > 50, `expected the keys of the schema, found ${keys.length}`);
    const written = new Set(mentions.map(({ key }) => key));
    assert.deepEqual(
      keys.map(({ key }) => key).filter((key) => !written.has(key)),
      [],
    );
  });

  test('has no other key', () => {
    const real = new Set(keys.map(({ key }) => key));
    assert.deepEqual(
      mentions.map(({ key }) => key).filter((key) => !real.has(key)),
      [],
    );
  });

  for (const { key, defaultValue, isRequired } of keys) {
    test(`explains ${key} and says its default, and whether it is required`, () => {
      const comments = commentsOn(key);
      const claims = new Set(comments.map(defaultIn).filter((claim) => claim !== null));
      assert.deepEqual(
        [...claims],
        [shown(defaultValue)].filter((value) => value !== null),
      );
      assert.equal(
        comments.some((comment) => comment.endsWith('; required')),
        isRequired,
      );
      assert.ok(key.endsWith('.NAME') || comments.some((comment) => comment !== ''), 'expected a comment on its line');
    });
  }
});

test('the minimal policy has no problem and no warning', async () => {
  const result = await loadPolicy('config/minimal.yaml', {});
  assert.deepEqual(result.ok ? placedWarnings(result) : result.problems, []);
});
