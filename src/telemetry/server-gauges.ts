// How servers are, as metrics; filled from the board when somebody scrapes.
import { Counter, Gauge, type Registry } from 'prom-client';
import { isUp } from '../rollout/server-report.ts';
import type { ServerBoard } from './server-board.ts';

/** Registers them. `address` stands only where a name led to it. */
export function addServerGauges(registry: Registry, board: ServerBoard): void {
  const registers: [Registry] = [registry];
  new Gauge({
    name: 'graygate_server_up',
    help: 'Whether a server takes requests: 0 or 1.',
    labelNames: ['rollout', 'version', 'server', 'address'],
    registers,
    collect() {
      this.reset();
      for (const { rollout, version, server, address, state } of board.standings()) {
        this.set({ rollout, version, server, ...(address === null ? {} : { address }) }, isUp(state) ? 1 : 0);
      }
    },
  });
  new Counter({
    name: 'graygate_server_ejections_total',
    help: 'How often a server was put out because requests to it failed.',
    labelNames: ['rollout', 'version', 'server'],
    registers,
    collect() {
      this.reset();
      for (const { rollout, version, server, count } of board.ejections())
        this.inc({ rollout, version, server }, count);
    },
  });
}
