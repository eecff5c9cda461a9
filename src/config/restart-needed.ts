// Which differences between two policies only a restart brings into force.
import type { ListenAddress } from '../rollout/entrance.ts';
import type { Policy } from '../rollout/policy.ts';

/** The keys that differ and cannot change while graygate runs, as the policy writes them; the old values stay in force. */
export function restartNeeded(running: Policy, next: Policy): string[] {
  const pairs: [string, ListenAddress, ListenAddress][] = [
    ['listen', running.listen, next.listen],
    ['admin.listen', running.admin.listen, next.admin.listen],
  ];
  const moved = pairs.filter(([, a, b]) => a.host !== b.host || a.port !== b.port).map(([key]) => key);
  if (running.workers !== next.workers) moved.push('workers');
  return running.store.path === next.store.path ? moved : [...moved, 'store'];
}
