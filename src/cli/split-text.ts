// A fixed split in a few characters.
import { candidatesWithUsers } from '../rollout/rehearsal/shares.ts';
import type { Staging } from '../rollout/staging.ts';

/** `20 %`; among several candidates `20 + 10 %`, in the order of the policy. */
export function splitText(staging: Staging): string {
  const percents = candidatesWithUsers(staging).map((name) => staging.split[name] ?? 0);
  return `${percents.join(' + ')} %`;
}
