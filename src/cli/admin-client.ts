// The admin API as the verbs ask it: values of the contract, or an error that says who refused what. It decides nothing.
import type { z } from 'zod';
import {
  historyShape,
  type Problem,
  problemShape,
  rolloutShape,
  rolloutsShape,
  type ShownHistory,
  type ShownRollout,
} from '../admin/contract.ts';
import { explanationShape, type ShownExplanation } from '../admin/contract-decision.ts';
import { experimentShape } from '../admin/contract-experiment.ts';
import { errorTable, type ErrorCode, GraygateError } from '../errors.ts';
import type { ExperimentReport } from '../rollout/experiment-report/report.ts';
import type { ReportLanguage } from '../rollout/experiment-report/words.ts';
import type { ActionKind } from '../rollout/rollout-event.ts';
import type { Endpoint } from './gateway-option.ts';

/** `key`: sent twice with the same one, an action is done once. `revision` null: whichever it is at. */
export type ActionOrder = {
  readonly rollout: string;
  readonly action: ActionKind;
  readonly reason: string;
  readonly revision: number | null;
  readonly key: string;
};

/** `wasSent`: the gateway may have had the request, only its answer is not here. */
export class UnreachableError extends GraygateError {
  readonly wasSent: boolean;

  constructor(message: string, wasSent: boolean, options?: { cause?: unknown }) {
    super('unreachable', message, options);
    this.wasSent = wasSent;
  }
}

/** What the gateway said no with. */
export class RefusedError extends GraygateError {
  readonly problem: Problem;

  constructor(code: ErrorCode, problem: Problem) {
    const hint = problem.code === 'token-required' ? '; give one with GRAYGATE_TOKEN or --token' : '';
    super(code, `${problem.detail ?? problem.title}${hint}`);
    this.problem = problem;
  }
}

/** Causes of a failed request in which nothing was sent. */
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export const answerTimeoutMs = 10_000;

/** `release` null: the newest. */
export type ExperimentFile = {
  readonly release: string | null;
  readonly format: 'csv' | 'html';
  readonly lang: ReportLanguage;
};

/** Every call throws a RefusedError where the gateway says no and an UnreachableError where no gateway answers. */
export class AdminClient {
  readonly #endpoint: Endpoint;
  readonly #stop: AbortSignal;

  /** `stop` ends requests under way. */
  constructor(endpoint: Endpoint, stop: AbortSignal) {
    this.#endpoint = endpoint;
    this.#stop = stop;
  }

  async rollouts(): Promise<readonly ShownRollout[]> {
    return (await this.#ask('api/v1/rollouts', rolloutsShape)).rollouts;
  }

  rollout(name: string): Promise<ShownRollout> {
    return this.#ask(`api/v1/rollouts/${encodeURIComponent(name)}`, rolloutShape);
  }

  /** What would be decided about a request; the parameters are those of `GET /api/v1/decide`. */
  decide(parameters: URLSearchParams): Promise<ShownExplanation> {
    return this.#ask(`api/v1/decide?${parameters.toString()}`, explanationShape);
  }

  /** What happened in the last so many seconds. */
  history(name: string, { seconds }: { seconds: number }): Promise<ShownHistory> {
    const path = `api/v1/rollouts/${encodeURIComponent(name)}/history?since=${seconds}s&resolution=hour`;
    return this.#ask(path, historyShape);
  }

  /** The report of an experiment; of the newest release where `release` is null. */
  experiment(name: string, release: string | null): Promise<ExperimentReport> {
    return this.#ask(experimentPath(name, { release }), experimentShape);
  }

  /** The same as a file for people or for a spreadsheet. */
  async experimentFile(name: string, file: ExperimentFile): Promise<string> {
    const { status, text } = await this.#request(experimentPath(name, file), {});
    if (status === 200) return text;
    throw refusalIn(status, parseJson(text), this.#endpoint.base);
  }

  /** The rollout as it is then. */
  act({ rollout, action, reason, revision, key }: ActionOrder): Promise<ShownRollout> {
    return this.#ask(`api/v1/rollouts/${encodeURIComponent(rollout)}/${action}`, rolloutShape, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': key,
        ...(revision === null ? {} : { 'if-match': `"${revision}"` }),
      },
      body: JSON.stringify({ reason }),
    });
  }

  async #ask<Shape extends z.ZodType>(path: string, shape: Shape, request: Asked = {}): Promise<z.output<Shape>> {
    const { base } = this.#endpoint;
    const { status, text } = await this.#request(path, request);
    const body = parseJson(text);
    if (status !== 200) throw refusalIn(status, body, base);
    const answer = shape.safeParse(body);
    if (answer.success) return answer.data;
    throw new UnreachableError(`what answers at ${base.origin} is no graygate of this version`, true);
  }

  async #request(path: string, { headers, ...request }: Asked): Promise<{ status: number; text: string }> {
    const { base, token } = this.#endpoint;
    const url = new URL(path, base);
    const signal = AbortSignal.any([this.#stop, AbortSignal.timeout(answerTimeoutMs)]);
    const bearer = token === null ? {} : { authorization: `Bearer ${token}` };
    try {
      const response = await fetch(url, { ...request, headers: { ...headers, ...bearer }, redirect: 'manual', signal });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      const code = codeOf(error);
      throw new UnreachableError(`cannot reach the gateway at ${url.origin}: ${code}`, !neverSent.has(code), {
        cause: error,
      });
    }
  }
}

type Asked = { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string };

function experimentPath(name: string, { release, ...file }: Partial<ExperimentFile>): string {
  const query = new URLSearchParams({ ...file, ...(typeof release === 'string' ? { release } : {}) });
  return `api/v1/experiments/${encodeURIComponent(name)}?${query.toString()}`;
}

function refusalIn(status: number, body: unknown, { origin }: URL): GraygateError {
  const problem = problemShape.safeParse(body).data;
  if (problem !== undefined && isKnown(problem.code) && problem.code !== 'internal') {
    return new RefusedError(problem.code, problem);
  }
  const said = problem === undefined ? '' : ` (${problem.detail ?? problem.title})`;
  return new UnreachableError(`what answers at ${origin} is no graygate that works: status ${status}${said}`, true);
}

function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}

/** What is known of a failed request, in a word: a code of the system or of the client, else its message. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${answerTimeoutMs / 1_000} s`;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? error.message : codeOf(error.cause);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
