// URLs of other systems that graygate calls. They may hold a secret, so none is ever shown.
import { accepted, refusedUnseen, type Reading } from './reading.ts';
import { written } from './schema-kit.ts';

/** An http or https URL, as text. */
export function webUrl(expected: string) {
  return written(readWebUrl, expected);
}

function readWebUrl(value: unknown): Reading<string> {
  const url = URL.parse(String(value));
  const isWeb = url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '';
  return isWeb
    ? accepted(url.href)
    : refusedUnseen('is not an http or https URL', 'write a URL such as https://hooks.example.com/graygate');
}
