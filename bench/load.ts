// Load on one address for a while: by wrk where it is installed, by autocannon otherwise. Keep-alive, as fast as answers come.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../test/support/requirements.ts';
import { run } from '../test/support/run.ts';
import { users, type Case } from './cases.ts';

export type Load = {
  readonly port: number;
  readonly case: Case;
  readonly connections: number;
  readonly seconds: number;
  /** About so many requests, spread at random; absent: as many as are answered. */
  readonly ratePerSecond?: number;
  /** Where request files may be written. */
  readonly folder: string;
};

export type LoadResult = {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Connections refused or cut, time-outs, and answers other than 2xx. */
  readonly failures: number;
};

/** What puts the load on; it is named in the result. GRAYGATE_BENCH_LOAD=autocannon leaves an installed wrk alone. */
export const loadTool =
  process.env.GRAYGATE_BENCH_LOAD === 'autocannon' || findProgram('wrk') === null ? 'autocannon' : 'wrk';

export function applyLoad(load: Load): Promise<LoadResult> {
  return loadTool === 'wrk' ? applyWrk(load) : applyAutocannon(load);
}

async function applyWrk(load: Load): Promise<LoadResult> {
  const script = join(load.folder, 'wrk.lua');
  writeFileSync(script, wrkScript(load));
  const shape = ['-t', '1', '-c', `${load.connections}`, '-d', `${load.seconds}s`];
  const finished = await run(findProgram('wrk') ?? 'wrk', [...shape, '-s', script, `http://127.0.0.1:${load.port}/`]);
  const figures = /^figures: (.+)$/m.exec(finished.stdout)?.[1];
  if (figures === undefined) throw new Error(`wrk failed: ${finished.stderr || finished.stdout}`);
  const [requests = 0, micros = 1, p50 = 0, p99 = 0, failures = 0] = figures.split(' ').map(Number);
  return {
    requests,
    requestsPerSecond: requests / (micros / 1e6),
    p50Ms: p50 / 1000,
    p99Ms: p99 / 1000,
    failures,
  };
}

/** The requests are put together once, before the load begins, so that wrk itself stays cheap. */
function wrkScript({ case: { method, path, requestBytes }, connections, ratePerSecond }: Load): string {
  const meanDelayMs = ratePerSecond === undefined ? 0 : (connections / ratePerSecond) * 1_000;
  return `${meanDelayMs === 0 ? '' : `delay = function() return math.random() * ${2 * meanDelayMs} end`}
local requests, at = {}, 0
init = function()
  local body = ${requestBytes} > 0 and string.rep("x", ${requestBytes}) or nil
  for i = 0, ${users.length - 1} do
    requests[i] = wrk.format("${method}", "${path}", { ["x-user-id"] = "user-" .. i }, body)
  end
end
request = function()
  at = (at + 1) % ${users.length}
  return requests[at]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("figures: %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.timeout + e.status))
end
`;
}

async function applyAutocannon(load: Load): Promise<LoadResult> {
  const origin = `http://127.0.0.1:${load.port}`;
  const har = join(load.folder, 'requests.har');
  writeFileSync(har, JSON.stringify(harOf(load.case, origin)));
  const shape = ['-c', `${load.connections}`, '-d', `${load.seconds}`, '--json', '--no-progress', '--har', har];
  if (load.ratePerSecond !== undefined) shape.push('-R', load.ratePerSecond.toFixed(0));
  const finished = await run(process.execPath, [fileURLToPath(import.meta.resolve('autocannon')), ...shape, origin]);
  if (finished.code !== 0) throw new Error(`autocannon failed: ${finished.stderr}`);
  const result: AutocannonResult = JSON.parse(finished.stdout);
  return {
    requests: result['2xx'] + result.non2xx,
    requestsPerSecond: (result['2xx'] + result.non2xx) / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failures: result.errors + result.timeouts + result.non2xx,
  };
}

type AutocannonResult = {
  '2xx': number;
  non2xx: number;
  errors: number;
  timeouts: number;
  duration: number;
  latency: { p50: number; p99: number };
};

function harOf({ method, path, requestBytes }: Case, origin: string): object {
  const entries = users.map((user) => ({
    request: {
      method,
      url: `${origin}${path}`,
      headers: [{ name: 'x-user-id', value: user }],
      ...(requestBytes > 0 ? { postData: { mimeType: 'text/plain', text: 'x'.repeat(requestBytes) } } : {}),
    },
  }));
  return { log: { entries } };
}
