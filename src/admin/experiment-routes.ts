// The report of an experiment: for programs, for spreadsheets, and as a page to be sent to somebody.
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { GraygateError } from '../errors.ts';
import { chinese } from '../rollout/experiment-report/chinese.ts';
import { english } from '../rollout/experiment-report/english.ts';
import { reportOf } from '../rollout/experiment-report/report-of.ts';
import type { ExperimentReport } from '../rollout/experiment-report/report.ts';
import { reportLanguages, type ReportLanguage, type Words } from '../rollout/experiment-report/words.ts';
import type { Experiment, ExperimentFigures } from '../rollout/experiment.ts';
import type { Rollout } from '../rollout/policy.ts';
import { type AdminInstance, problemResponses } from './admin-instance.ts';
import type { AdminParts } from './admin-parts.ts';
import { experimentShape } from './contract-experiment.ts';
import { experimentCsv } from './experiment-csv.ts';
import { experimentPage, experimentPagePolicy } from './experiment-page/experiment-page.ts';
import { viewOf } from './rollout-desk.ts';

type Parts = Pick<AdminParts, 'rollouts' | 'experiments'>;

const formats = ['json', 'csv', 'html'] as const;
type Format = (typeof formats)[number];

const words: Readonly<Record<ReportLanguage, Words>> = { en: english, zh: chinese };

const query = z.strictObject({
  release: z.string().max(200).optional().describe('of which release; the newest without'),
  format: z.enum(formats).optional().describe('json, or what Accept asks for'),
  lang: z.enum(reportLanguages).optional().describe('of the page; en, or what Accept-Language asks for'),
});

const answers = {
  description: 'the report',
  content: {
    'application/json': { schema: experimentShape },
    'text/csv': { schema: z.string() },
    'text/html': { schema: z.string() },
  },
};

/** `GET /api/v1/experiments/{rollout}`. */
export function addExperimentRoutes(app: AdminInstance, parts: Parts): void {
  const problems = problemResponses('invalid-input', 'unknown-rollout', 'no-experiment', 'store-unavailable');
  const schema = {
    tags: ['experiments'],
    summary: 'How the versions compare in what the business counts',
    params: z.object({ rollout: z.string() }),
    querystring: query,
    response: { 200: answers, ...problems },
  };
  app.get('/api/v1/experiments/:rollout', { config: { role: 'viewer' }, schema }, async (request, reply) => {
    const { release, format = wantedFormat(request), lang = wantedLanguage(request) } = request.query;
    const report = await reportOn(parts, request.params.rollout, release ?? null);
    if (format === 'json') return report;
    if (format === 'csv') return reply.type('text/csv; charset=utf-8').send(experimentCsv(report));
    reply.header('content-security-policy', experimentPagePolicy);
    return reply.type('text/html; charset=utf-8').send(experimentPage(report, words[lang]));
  });
}

async function reportOn(parts: Parts, name: string, release: string | null): Promise<ExperimentReport> {
  const { rollout } = viewOf(parts, name);
  const { experiment } = rollout;
  if (experiment === null)
    throw new GraygateError('no-experiment', `rollout "${name}" counts no events and asks for no experiment`);
  const figures = await parts.experiments.figures(name, ...(release === null ? [] : [release]));
  const nowMs = Date.now();
  if (figures === null && release !== null)
    throw new GraygateError('no-experiment', `nothing is known of release "${release}" of rollout "${name}"`);
  return reportOf(figures ?? noFigures(rollout, experiment, nowMs), experiment, nowMs);
}

/** Before the first user. */
function noFigures({ name, staging, versions }: Rollout, { metrics }: Experiment, nowMs: number): ExperimentFigures {
  const zeros = versions.map(() => 0);
  return {
    rollout: name,
    release: staging.release,
    beganMs: nowMs,
    atMs: nowMs,
    versions: versions.map((version) => version.name),
    phases: [],
    leftOut: { crossed: 0, moved: 0 },
    metrics: metrics.map((metric) => ({ metric, samples: [], paired: null, nonZero: zeros, waiting: zeros })),
    days: [],
    events: [],
  };
}

/** A browser asks for a page before anything else. */
function wantedFormat({ headers }: FastifyRequest): Format {
  const accept = headers.accept ?? '';
  if (accept.includes('application/json')) return 'json';
  if (accept.includes('text/html')) return 'html';
  return accept.includes('text/csv') ? 'csv' : 'json';
}

function wantedLanguage({ headers }: FastifyRequest): ReportLanguage {
  return /^\s*zh\b/i.test(headers['accept-language'] ?? '') ? 'zh' : 'en';
}
