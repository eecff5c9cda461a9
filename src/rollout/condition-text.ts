// What conditions and values look like to a person. For explaining only; nothing is decided by these texts.
import type { ByteString } from './policy.ts';
import type { Condition, HostPattern, Matcher } from './rule.ts';
import { nameOf } from './readings.ts';

const mostListed = 5;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes as the text they stand for; bytes that are not UTF-8 become U+FFFD. */
export function readable(bytes: ByteString): string {
  return decoder.decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
}

/** A condition as a phrase: `header:x-city is shenzhen`. Long lists are counted instead of listed. */
export function describeCondition(condition: Condition): string {
  if (condition.on === 'path') return `path is within ${listed(condition.prefixes)}`;
  if (condition.on === 'ip') return 'ip is in the listed ranges';
  return `${nameOf(condition)} ${describeMatcher(condition.matches)}`;
}

/** A host pattern as a policy writes it. */
export function describeHost(pattern: HostPattern): string {
  return pattern.kind === 'exact' ? pattern.host : `*${pattern.suffix}`;
}

function describeMatcher(matcher: Matcher): string {
  switch (matcher.kind) {
    case 'any-of':
      return `is ${listed(matcher.values)}`;
    case 'prefix':
      return `starts with ${readable(matcher.text)}`;
    case 'suffix':
      return `ends with ${readable(matcher.text)}`;
    case 'contains':
      return `contains ${readable(matcher.text)}`;
    case 'exists':
      return matcher.expected ? 'is present' : 'is absent';
    default:
      return `matches /${matcher.pattern.source}/`;
  }
}

function listed(values: ReadonlySet<ByteString> | readonly ByteString[]): string {
  const count = values instanceof Set ? values.size : Array.from(values).length;
  return count > mostListed ? `one of ${count} values` : Array.from(values, readable).join(' or ');
}
