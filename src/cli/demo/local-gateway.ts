// The demo's own look at its gateway from this machine: where it is reached, and which users meet which version.
import { GraygateError } from '../../errors.ts';

const askedUserCount = 40;

/** The same address as this machine reaches it. Throws `usage` for one that only others reach. */
export function localUrlOf(listening: string): string {
  const url = new URL(listening);
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  if (!['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) {
    throw new GraygateError('usage', `the demo is for this machine: expected to listen on 127.0.0.1, got ${listening}`);
  }
  return url.origin;
}

/** For each version that is met, the first of the users `u-1`, `u-2` … that gets it now. */
export async function meetUsers(gateway: string): Promise<ReadonlyMap<string, string>> {
  const names = Array.from({ length: askedUserCount }, (_, i) => `u-${i + 1}`);
  const versions = await Promise.all(names.map((user) => versionOf(gateway, user)));
  const users = new Map<string, string>();
  for (const [i, version] of versions.entries()) {
    if (version !== null && !users.has(version)) users.set(version, names[i]!);
  }
  return users;
}

async function versionOf(gateway: string, user: string): Promise<string | null> {
  const answer = await fetch(gateway, { method: 'HEAD', headers: { 'x-user-id': user } });
  return answer.headers.get('x-graygate-version');
}
