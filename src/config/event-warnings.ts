// What `validate --strict` says about events: those that no request can be, because nobody looks at such requests.
import { readsClaims, takesSameTokens } from '../rollout/claims.ts';
import { decodePercent, isPathWithin } from '../rollout/path.ts';
import type { ByteString, Policy, Rollout } from '../rollout/policy.ts';
import { fromByteString } from './byte-string.ts';
import { type Finding, unquotedFinding } from './finding.ts';

/** Paths of events that are looked for in no rollout that takes them. */
export function unseenEvents({ rollouts }: Pick<Policy, 'rollouts'>): Finding[] {
  return rollouts.flatMap((rollout, index) =>
    rollout.events.flatMap((event, position) =>
      event.paths.flatMap((eventPath) => {
        const why = whyUnseen(rollout, eventPath, rollouts);
        const path = ['rollouts', index, 'events', position, 'on', 'path'];
        return why === null ? [] : [unquotedFinding(path, why.problem, why.hint)];
      }),
    ),
  );
}

/** Whether other rollouts have events that are looked for here, of users whom these tokens name. */
export function lendsTokens(rollout: Rollout, rollouts: readonly Rollout[]): boolean {
  return rollouts.some(
    (other) =>
      other !== rollout &&
      other.events.some(({ paths }) => paths.length > 0) &&
      readsClaims(other) &&
      takesSameTokens(other, rollout),
  );
}

function whyUnseen(
  rollout: Rollout,
  eventPath: ByteString,
  rollouts: readonly Rollout[],
): Pick<Finding, 'problem' | 'hint'> | null {
  const takers = rollouts.filter(({ match }) => takes(match.paths, eventPath));
  const shown = `"${fromByteString(decodePercent(eventPath))}"`;
  if (takers.length === 0)
    return {
      problem: `is never seen: no rollout takes ${shown}`,
      hint: 'correct the path, or add a rollout that takes it',
    };
  if (takers.some((taker) => taker === rollout || !readsClaims(rollout) || takesSameTokens(taker, rollout)))
    return null;
  const problem = `is never seen: "${takers[0]!.name}" takes ${shown} and verifies other tokens, or none`;
  return { problem, hint: 'write the same user.jwt there' };
}

/** Whether requests with the path, or below it, come to a rollout with these; none: everything comes. */
function takes(paths: readonly ByteString[], eventPath: ByteString): boolean {
  return paths.length === 0 || paths.some((path) => isPathWithin(path, eventPath) || isPathWithin(eventPath, path));
}
