// The same policy with one rollout and with two hundred: `npm run bench -- --case rollouts`. A request of either finds its rollout by host; what
// it costs must not depend on how many others there are.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, type Place, graygateCommand } from './contenders.ts';

const counts = [1, 200];

/** graygate with so many rollouts each; the load asks for the last one. */
export const rolloutContenders: readonly Contender[] = counts.map((count) => ({
  name: `${count} rollout${count === 1 ? '' : 's'}`,
  program: null,
  command(place: Place) {
    const path = join(place.folder, 'graygate.yaml');
    writeFileSync(path, policyWith(count));
    return graygateCommand(place, path);
  },
}));

/** JSON is YAML. The last rollout takes every host that the others do not. */
function policyWith(count: number): string {
  const versions = { stable: { servers: ['${BENCH_STABLE}'] }, canary: { servers: ['${BENCH_CANARY}'] } };
  const rollouts = Array.from({ length: count }, (_, index) => ({
    name: `shop-${index}`,
    ...(index === count - 1 ? {} : { match: { host: [`shop-${index}.test`] } }),
    versions,
    rules: [{ name: 'internal testers', when: { header: { 'x-tester': 'yes' } }, use: 'canary' }],
    split: { canary: 10 },
  }));
  const listen = { listen: '${BENCH_LISTEN}', admin: { listen: '${BENCH_ADMIN_LISTEN}' } };
  return JSON.stringify({ version: 1, ...listen, rollouts });
}
