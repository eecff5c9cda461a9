// Who goes where, as a table for a person and as JSON for a program.
import type { StepUsers } from '../rollout/assign-users.ts';
import type { Rollout } from '../rollout/policy.ts';
import { countOf, percentOf } from '../rollout/wording.ts';
import { splitText } from './split-text.ts';
import { tableLines } from './text-table.ts';

export type Simulated = {
  readonly rollout: Rollout;
  readonly userCount: number;
  readonly steps: readonly StepUsers[];
};

/** `anonymousCount`: requests of a log without an ID; nobody can say where they go. */
export type Simulation = { readonly simulated: readonly Simulated[]; readonly anonymousCount: number };

/** A table for each rollout. */
export function simulatedLines({ simulated, anonymousCount }: Simulation): string[] {
  const left = `${countOf(anonymousCount)} requests of the log had no user ID and are left out`;
  return [
    ...simulated.flatMap((each, i) => [...(i === 0 ? [] : ['']), ...linesOf(each)]),
    ...(anonymousCount === 0 ? [] : ['', left]),
  ];
}

/** The same for programs; `users` by version name. */
export function simulatedReport({ simulated, anonymousCount }: Simulation): object {
  const rollouts = simulated.map(({ rollout, userCount, steps }) => ({
    rollout: rollout.name,
    userCount,
    steps: steps.map(({ users, ...step }) => ({
      ...step,
      users: Object.fromEntries(rollout.versions.map(({ name, index }) => [name, users[index]])),
    })),
  }));
  return { rollouts, anonymousCount };
}

function linesOf({ rollout, userCount, steps }: Simulated): string[] {
  const versions = rollout.versions.map(({ name }) => `>${name}`);
  const isCompared = steps.some(({ changed }) => changed !== null);
  const hasAside = steps.some(({ aside }) => aside > 0);
  const heading = [
    'stage',
    '>percent',
    ...versions,
    '>by rule',
    ...(hasAside ? ['>stand aside'] : []),
    '>moved',
    ...(isCompared ? ['moved by the edit'] : []),
  ];
  const { staging } = rollout;
  const rows = steps.map((step, i) => {
    const percent = staging.stages.length === 0 ? splitText(staging) : `${step.percent} %`;
    return cellsOf(step, { percent, userCount, isFirst: i === 0, isCompared, hasAside });
  });
  return [`${rollout.name}: ${countOf(userCount)} users`, '', ...tableLines([heading, ...rows])];
}

type Columns = {
  readonly percent: string;
  readonly userCount: number;
  readonly isFirst: boolean;
  readonly isCompared: boolean;
  readonly hasAside: boolean;
};

function cellsOf(
  { name, users, byRule, aside, moved, changed }: StepUsers,
  { percent, userCount, isFirst, isCompared, hasAside }: Columns,
): string[] {
  const counts = users.map(
    (count) => `${countOf(count)}${userCount === 0 ? '' : ` (${percentOf(count / userCount)})`}`,
  );
  const changes = (changed ?? []).map((each) => `${countOf(each.users)} ${each.from} → ${each.to}`).join(', ');
  return [
    name,
    percent,
    ...counts,
    countOf(byRule),
    ...(hasAside ? [countOf(aside)] : []),
    isFirst ? '–' : countOf(moved),
    ...(isCompared ? [changes === '' ? 'nobody' : changes] : []),
  ];
}
