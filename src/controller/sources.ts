// Asks outside sources (Prometheus, webhooks) at their own pace and remembers what they said. A source that hangs or lies
// slows nothing else down; what its answers mean is judged in the pure room.
import { type Dispatcher, request } from 'undici';
import {
  addSample,
  judgeSource,
  noSamples,
  type SourceCheck,
  type SourceHistory,
  type SourceSample,
} from '../rollout/source-check.ts';
import { comparedCandidates, type PrometheusCheck, type Staging } from '../rollout/staging.ts';
import type { Verdict } from '../rollout/verdict.ts';

/** Larger answers are not read: one number is asked for. */
const maxAnswerLength = 1_048_576;

type Asked = {
  readonly check: SourceCheck;
  /** At least one: the candidates that the answer is about. */
  about: readonly Fields[];
  history: SourceHistory;
  timer: NodeJS.Timeout;
  readonly stop: AbortController;
};

/** The sources of one rollout. */
export class Sources {
  readonly #rollout: string;
  /** By the question, in the order of the policy. */
  #asked = new Map<string, Asked>();

  constructor(rollout: string) {
    this.#rollout = rollout;
  }

  /**
   * Asks what the policy names from now on, of each candidate: once where the question is the same for several. One that stays as it
   * is keeps what is known.
   */
  follow(staging: Pick<Staging, 'baseline' | 'candidates' | 'split' | 'analysis'>): void {
    const before = this.#asked;
    this.#asked = new Map();
    const all = comparedCandidates(staging).map((version) => {
      return { rollout: this.#rollout, version, baseline: staging.baseline };
    });
    for (const check of staging.analysis.checks) {
      if (check.metric !== 'prometheus' && check.metric !== 'webhook') continue;
      for (const [question, about] of Map.groupBy(all, (fields) => questionOf(check, fields))) {
        const known = before.get(question);
        before.delete(question);
        this.#asked.set(question, known === undefined ? begin(check, about) : Object.assign(known, { about }));
      }
    }
    for (const asked of before.values()) end(asked);
  }

  verdicts(): Verdict[] {
    return Array.from(this.#asked.values()).flatMap(({ check, history, about }) =>
      about.map(({ version }) => judgeSource(check, history, version)),
    );
  }

  /** Forgets what was said so far, and asks at once. */
  anew(): void {
    for (const [question, asked] of this.#asked) {
      end(asked);
      this.#asked.set(question, begin(asked.check, asked.about));
    }
  }

  close(): void {
    for (const asked of this.#asked.values()) end(asked);
    this.#asked.clear();
  }
}

function begin(check: SourceCheck, about: readonly Fields[]): Asked {
  const stop = new AbortController();
  let isAsking = false;
  const ask = (): void => {
    if (isAsking) return;
    isAsking = true;
    void askSource(check, asked.about[0]!, stop.signal).then((sample): void => {
      isAsking = false;
      if (!stop.signal.aborted) asked.history = addSample(check, asked.history, sample);
      return undefined;
    });
  };
  const asked: Asked = { check, about, history: noSamples, timer: setInterval(ask, check.everyMs), stop };
  ask();
  return asked;
}

function end({ timer, stop }: Asked): void {
  clearInterval(timer);
  stop.abort();
}

/** All that the source sees, and how it is judged. */
function questionOf(check: SourceCheck, fields: Fields): string {
  return JSON.stringify([check, check.metric === 'prometheus' ? fillIn(check.query, fields) : fields]);
}

/** What `{{version}}` and its kin stand for in a query. */
type Fields = { readonly rollout: string; readonly version: string; readonly baseline: string };

/** One sample; never rejects. */
export async function askSource(check: SourceCheck, fields: Fields, stop: AbortSignal): Promise<SourceSample> {
  const timeout = AbortSignal.timeout(check.timeoutMs);
  try {
    const signal = AbortSignal.any([stop, timeout]);
    return check.metric === 'prometheus'
      ? await askPrometheus(check, fields, signal)
      : await askWebhook(check.url, fields, signal);
  } catch (error) {
    if (timeout.aborted) return { kind: 'timeout', afterMs: check.timeoutMs };
    return { kind: 'unusable', detail: detailOf(error) };
  }
}

/** What to say of a source that could not be read; nothing of what it sent. */
function detailOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'the answer is not JSON';
  if (error instanceof RangeError) return error.message;
  return error instanceof Error && 'code' in error ? String(error.code) : 'its source does not answer';
}

/** An instant query of Prometheus's HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/). */
async function askPrometheus(check: PrometheusCheck, fields: Fields, signal: AbortSignal): Promise<SourceSample> {
  const url = new URL('api/v1/query', check.url.endsWith('/') ? check.url : `${check.url}/`);
  const body = new URLSearchParams({ query: fillIn(check.query, fields) });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const response = await request(url, { method: 'POST', headers, body: body.toString(), signal });
  const { statusCode: status } = response;
  if (status < 200 || status >= 300) {
    leave(response.body);
    return { kind: 'http-error', status };
  }
  const text = await readText(response.body);
  const answer: PrometheusAnswer | null = JSON.parse(text);
  return sampleOf(answer);
}

type PrometheusAnswer = {
  readonly status?: string;
  readonly data?: { readonly resultType?: string; readonly result?: unknown };
};

function sampleOf(answer: PrometheusAnswer | null): SourceSample {
  const { resultType, result } = answer?.data ?? {};
  if (answer?.status !== 'success' || !Array.isArray(result))
    return { kind: 'unusable', detail: 'the answer is no query result' };
  if (resultType === 'scalar') return valueOf(result[1]);
  if (resultType !== 'vector')
    return { kind: 'unusable', detail: `the query gives a ${String(resultType)}, not a number` };
  if (result.length === 0) return { kind: 'empty' };
  if (result.length > 1) return { kind: 'several', seriesCount: result.length };
  const { value }: { value?: readonly unknown[] } = result[0];
  return value === undefined ? { kind: 'unusable', detail: 'the series has no value' } : valueOf(value[1]);
}

function valueOf(text: unknown): SourceSample {
  const value = typeof text === 'string' && text !== '' ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? { kind: 'value', value } : { kind: 'not-a-number' };
}

async function askWebhook(url: string, fields: Fields, signal: AbortSignal): Promise<SourceSample> {
  const headers = { 'content-type': 'application/json' };
  const response = await request(url, { method: 'POST', headers, body: JSON.stringify(fields), signal });
  leave(response.body);
  return { kind: 'answered', status: response.statusCode };
}

/** Reads no more of an answer; whatever becomes of the rest. */
function leave(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => undefined).destroy();
}

function fillIn(query: string, fields: Fields): string {
  return query.replaceAll(/\{\{\s*(rollout|version|baseline)\s*\}\}/g, (_, name: keyof Fields) => fields[name]);
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxAnswerLength) throw new RangeError(`the answer is larger than ${maxAnswerLength} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
