// The command line of the benchmark.
import { parseArgs } from 'node:util';
import { cases, type Case } from './cases.ts';

/** What is measured in another way than CPU time a request of one proxy beside the others; all ask for 1 KB. */
const otherCaseNames = ['p99', 'idle-10k', 'rollouts'];

export type BenchOptions = {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** Of the case `idle-10k`. */
  readonly idleConnections: number;
  readonly case: Case;
  readonly caseName: string;
  /** Names of proxies; empty: all that are installed. */
  readonly only: readonly string[];
};

/** Throws with what was expected and what came. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '4' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '64' },
      idle: { type: 'string', default: '10000' },
      case: { type: 'string', default: 'get-1k' },
      only: { type: 'string', default: '' },
    },
  });
  const known = Object.entries(cases).find(([name]) => name === values.case)?.[1];
  const chosen = otherCaseNames.includes(values.case) ? cases['get-1k'] : known;
  if (chosen === undefined) {
    const names = [...Object.keys(cases), ...otherCaseNames];
    throw new Error(`--case: expected ${names.join(', ')}, got "${values.case}"`);
  }
  return {
    rounds: positive('--rounds', values.rounds),
    seconds: positive('--seconds', values.seconds),
    connections: positive('--connections', values.connections),
    idleConnections: positive('--idle', values.idle),
    case: chosen,
    caseName: values.case,
    only: values.only.split(',').filter((name) => name !== ''),
  };
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${option}: expected a whole number from 1, got "${text}"`);
  return value;
}
