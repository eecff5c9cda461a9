// `graygate rehearse` of a split among several candidates.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { CandidateSums } from '../../src/rollout/rehearsal/candidate-record.ts';
import { policyFile, severalCandidates } from './policy-files.ts';
import { runToEnd } from './run-here.ts';

function commandOf(split: string): string[] {
  return ['rehearse', '-c', policyFile({ after }, severalCandidates(split)), '--rps', '200'];
}

type Report = {
  scenario: { harmOf?: string };
  end: { phase: string; reason: string };
  candidate: CandidateSums;
  others: CandidateSums[];
  leastRequests: number;
};

test('the candidate that is named is the bad one, and is said to be', async () => {
  const args = [...commandOf('{ blue: 20, green: 10 }'), '--harm', 'errors=20', '--candidate', 'green'];
  const { code, stdout, stderr } = await runToEnd(args);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /\ngreen fails 20 % of its requests\n/);
  assert.match(stdout, /\n0:00:00 {3}begin \(20 \+ 10 %\) /);
  assert.match(
    stdout,
    /\n0:00:\d\d {3}rollback \(0 %\) +blue and green are rolled back from 20 % and 10 %: green fails /,
  );
  assert.match(stdout, /\ncost +\d+ green requests, \d+ failed; [^\n]+\n {14}\d+ blue requests, \d failed; /);
  assert.match(stdout, /\nfound +\d+ s after the harm began, \d+ green requests; any test needs \d+ on average\n/);
});

test('--json has the sums of each, with its name', async () => {
  const args = [...commandOf('{ blue: 20, green: 10 }'), '--harm', 'errors=20', '--candidate', 'green', '--json'];
  const { scenario, end, candidate, others, leastRequests }: Report = JSON.parse((await runToEnd(args)).stdout);
  assert.deepEqual([scenario.harmOf, end.phase, candidate.version], ['green', 'rolled-back', 'green']);
  assert.deepEqual(
    others.map(({ version, sinceHarm }) => [version, sinceHarm]),
    [['blue', null]],
  );
  assert.ok(candidate.sinceHarm!.requests > 0 && leastRequests > 5);
});

test('without a name the first candidate that gets users is the bad one, and without harm none is', async () => {
  const { stdout } = await runToEnd([...commandOf('{ green: 10, idle: 10 }'), '--harm', 'errors=20']);
  assert.match(stdout, /\ngreen fails 20 % of its requests\n/);
  const good = await runToEnd([...commandOf('{ blue: 20, green: 10 }'), '--limit', '1m', '--broken-user']);
  assert.match(good.stdout, /\none user fails on all versions and retries every two seconds\n/);
  assert.match(good.stdout, /\nend +still steady at 20 \+ 10 %\n/);
  const sound = await runToEnd([...commandOf('{ blue: 20, green: 10 }'), '--limit', '1m']);
  assert.match(sound.stdout, /\nblue and green are as good as stable\n/);
});

test('many rehearsals are about the one that is named', async () => {
  const args = [...commandOf('{ blue: 20, green: 10 }'), '--harm', 'errors=20', '--candidate', 'green', '--runs', '3'];
  const { stdout } = await runToEnd(args);
  assert.match(stdout, /\nrolled back +3, 100\.00 %/);
  assert.match(stdout, /\nrequests +\d+ of green on average: \d\.\d\d times the \d+ that any test needs\n/);
});

test('where one candidate alone gets users there is nothing to name, and it may be named all the same', async () => {
  const args = [...commandOf('{ green: 10 }'), '--harm', 'errors=20', '--json'];
  const [plain, named] = [await runToEnd(args), await runToEnd([...args, '--candidate', 'green'])];
  assert.equal(plain.stdout, named.stdout);
  const { scenario, candidate, others }: Report = JSON.parse(plain.stdout);
  assert.deepEqual([scenario.harmOf, candidate.version, others], [undefined, undefined, undefined]);
  assert.ok(candidate.failures > 0);
});

for (const [more, said] of [
  [['--candidate', 'green'], /expected --candidate together with --harm/],
  [['--harm', 'errors=5', '--candidate', 'red'], /one that gets users, blue or green; got "red"/],
  [['--harm', 'errors=5', '--candidate', 'idle'], /one that gets users, blue or green; got "idle"/],
  [['--harm', 'errors=5', '--candidate', 'stable'], /one that gets users, blue or green; got "stable"/],
] as const) {
  test(`wrong usage is exit code 2: ${more.join(' ')}`, async () => {
    const { code, stdout, stderr } = await runToEnd([...commandOf('{ blue: 20, green: 10 }'), ...more]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, said);
  });
}
