// The demo's own look at its gateway from this machine: where it is reached, and which users meet which version.
import { GraygateError } from '../../errors.ts';

const mostUsersTried = 40;

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

/** For each version, the first of the users `u-1`, `u-2` … that gets it; asks until two versions are known. */
export async function meetUsers(gateway: string): Promise<ReadonlyMap<string, string>> {
  const users = new Map<string, string>();
  for (let i = 1; i <= mostUsersTried && users.size < 2; i += 1) {
    const user = `u-${i}`;
    const answer = await fetch(gateway, { method: 'HEAD', headers: { 'x-user-id': user } });
    const version = answer.headers.get('x-graygate-version');
    if (version !== null && !users.has(version)) users.set(version, user);
  }
  return users;
}
