// Regular expressions that cannot backtrack, behind the Pattern of the pure rooms. RE2 syntax: no back-references, no look-around.
import { RE2JS } from 're2js';
import type { ByteString } from '../rollout/policy.ts';
import type { Pattern } from '../rollout/rule.ts';
import { fromByteString } from './byte-string.ts';
import { accepted, refused, type Reading } from './reading.ts';

const backtracking = [
  { form: /\(\?<?[=!]/, problem: 'uses look-around, which needs backtracking' },
  { form: /\\(?:[1-9]|k[<{'])|\(\?P=/, problem: 'uses a back-reference, which needs backtracking' },
  { form: /\(\?>|[*+?}]\+/, problem: 'uses atomic or possessive matching, which needs backtracking' },
];

/** Compiles a pattern that is searched for anywhere in the text (`^` and `$` tie it down), in time linear in the text. */
export function parsePattern(written: unknown): Reading<Pattern> {
  const source = String(written);
  try {
    const compiled = RE2JS.compile(source);
    return accepted(Object.freeze({ source, test: (text: ByteString) => compiled.test(fromByteString(text)) }));
  } catch (error) {
    const cause = backtracking.find(({ form }) => form.test(source));
    if (cause !== undefined)
      return refused(cause.problem, 'only patterns that run in linear time (RE2 syntax) are taken');
    return refused('is not a regular expression', `RE2 says: ${reasonOf(error)}`);
  }
}

/** What RE2 has to say, without the piece of the pattern that it quotes: the pattern may come from the environment. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace('error parsing regexp: ', '').replace(/: `[^]*$/, '');
}
