// What is wrong with the YAML itself, in our words: the library's own messages may quote the file, and so a secret.
import type { ErrorCode } from 'yaml';

type Description = { readonly problem: string; readonly hint: string | null };

const indentHint = 'indent with spaces, each level by the same number';

const descriptions: Partial<Record<ErrorCode, Description>> = {
  ALIAS_PROPS: { problem: 'an alias cannot have an anchor or a tag', hint: null },
  BAD_ALIAS: { problem: 'an anchor or alias without a usable name', hint: 'quote text that begins with & or *' },
  BAD_DIRECTIVE: { problem: 'a %directive that YAML 1.2 does not know', hint: 'quote text that begins with %' },
  BAD_DQ_ESCAPE: { problem: 'a backslash escape that YAML does not know', hint: 'write \\\\, or use single quotes' },
  BAD_INDENT: { problem: 'bad indentation, or a bracket that is not closed', hint: indentHint },
  BAD_SCALAR_START: { problem: 'text cannot begin with this character', hint: 'put the text in quotes' },
  BLOCK_AS_IMPLICIT_KEY: {
    problem: 'a second "key:" on one line',
    hint: 'put the text in quotes, or begin a new line',
  },
  BLOCK_IN_FLOW: { problem: 'block style within [ ] or { }', hint: 'separate the items with commas' },
  DUPLICATE_KEY: { problem: 'the key is there twice', hint: 'keep one' },
  IMPOSSIBLE: { problem: 'not YAML', hint: null },
  MISSING_CHAR: { problem: 'a character is missing, such as a closing quote, a comma or a ":"', hint: null },
  MULTILINE_IMPLICIT_KEY: { problem: 'not a "key: value"', hint: 'a key ends with ":" and a space, on its own line' },
  MULTIPLE_ANCHORS: { problem: 'two anchors on one value', hint: 'keep one' },
  MULTIPLE_DOCS: { problem: 'a second document begins', hint: 'a policy is one document; leave "---" out' },
  MULTIPLE_TAGS: { problem: 'two tags on one value', hint: 'leave them out' },
  NON_STRING_KEY: { problem: 'a key that is not text', hint: 'write "key: value"' },
  RESOURCE_EXHAUSTION: { problem: 'nested too deeply', hint: null },
  TAB_AS_INDENT: { problem: 'a tab at the beginning of a line', hint: indentHint },
  TAG_RESOLVE_FAILED: { problem: 'a !tag that is not known', hint: 'leave it out' },
  UNEXPECTED_TOKEN: { problem: 'something that cannot stand here', hint: 'put text with special characters in quotes' },
};

/** The sentence for a code of the yaml library. */
export function describeYamlError(code: ErrorCode): Description {
  return descriptions[code] ?? { problem: 'not valid YAML', hint: null };
}
