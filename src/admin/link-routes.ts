// Signed links from chat. Looking at one changes nothing, because chat programs and mail scanners look at every link;
// only the form on its page acts, once.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type ErrorCode, GraygateError } from '../errors.ts';
import type { AccessGate } from './access-gate.ts';
import type { AdminParts, RolloutView } from './admin-parts.ts';
import { type AdminInstance, textResponse } from './admin-instance.ts';
import { actionBodyShape } from './contract.ts';
import { confirmPage, donePage, linkPagePolicy, problemPage } from './link-page.ts';
import type { LinkReading } from './link-parts.ts';
import { problemIn } from './problem.ts';
import { actOrThrow, requireRevision, viewOf } from './rollout-desk.ts';

type Parts = Pick<AdminParts, 'rollouts' | 'links' | 'usedLinks' | 'failed'> & { readonly gate: AccessGate };

type Link = Extract<LinkReading, { ok: true }>['link'];

type Exchange = { readonly request: FastifyRequest; readonly reply: Pick<FastifyReply, 'code' | 'headers' | 'send'> };

const maxFormBytes = 8_192;
const params = z.object({ token: z.string() });
const form = z.object({ reason: z.literal('').or(actionBodyShape.shape.reason).default('') });
const page = textResponse('text/html', 'a page for people; failures are pages too');
const security: [] = [];

/** `GET` and `POST /api/v1/links/{token}`. Register it in a scope of its own: it takes forms and answers with pages. */
export function addLinkRoutes(app: AdminInstance, parts: Parts): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: maxFormBytes },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.setErrorHandler((error, request, reply) => sendProblemPage(parts, error, { request, reply }));
  const responses = { 200: page, '4xx': page, '5xx': page };
  app.get(
    '/api/v1/links/:token',
    { schema: { tags: ['links'], security, summary: 'What a signed link would do', params, response: responses } },
    async (request, reply) => {
      const link = readLink(parts, { request, reply }, request.params.token);
      const view = viewOf(parts, link.rollout);
      if (link.revision !== null) requireRevision(view, [link.revision]);
      const html = confirmPage({ ...factsOf(link, view), expiresMs: link.expiresMs });
      return sendPage(reply, 200, html) as never;
    },
  );
  app.post(
    '/api/v1/links/:token',
    {
      config: { takesForm: true },
      schema: { tags: ['links'], security, summary: 'Does it, once', params, body: form, response: responses },
    },
    async (request, reply) => {
      const link = readLink(parts, { request, reply }, request.params.token);
      await useLink(parts, link, request.body.reason === '' ? 'by the link in the alert' : request.body.reason);
      return sendPage(reply, 200, donePage(factsOf(link, viewOf(parts, link.rollout)))) as never;
    },
  );
}

/** Acts; what stands in the way is thrown. A rollback is done although nobody can say whether the link was used before. */
async function useLink(parts: Parts, link: Link, reason: string): Promise<void> {
  const { id, rollout, action, revision, by, expiresMs } = link;
  const view = viewOf(parts, rollout);
  if (revision !== null) requireRevision(view, [revision]);
  const nowMs = Date.now();
  const isFirst = await parts.usedLinks.consume({ id, nowMs, expiresMs }).catch((error: unknown) => {
    if (action === 'rollback') return true;
    throw error;
  });
  if (!isFirst) throw new GraygateError('link-used');
  await actOrThrow(parts, rollout, { action, by, reason, nowMs, revision });
}

function readLink({ links, gate }: Parts, { request, reply }: Exchange, token: string): Link {
  const visitor = { peer: request.socket.remoteAddress ?? '', headers: request.headers };
  const nowMs = Date.now();
  const reading = links.read(token, nowMs);
  if (reading.ok) return reading.link;
  if (reading.reason === 'expired') throw new GraygateError('link-expired');
  const limited = gate.admitGuess(visitor, token, nowMs);
  if (limited.ok) throw new GraygateError('link-invalid');
  reply.headers(limited.headers);
  throw limited.error;
}

function factsOf(link: Link, { state, rollout }: RolloutView) {
  return {
    action: link.action,
    rollout: link.rollout,
    release: state?.release ?? rollout.staging.release,
    place: state === null ? 'not begun' : `${state.candidate} at ${state.percent} % (${state.phase})`,
    reason: state?.reason ?? 'it has not begun',
  };
}

function sendProblemPage({ failed }: Parts, error: unknown, { request, reply }: Exchange): FastifyReply {
  const known = problemIn(error);
  if (known === null) failed(error, { method: request.method, route: '/api/v1/links/:token', requestId: request.id });
  const code: ErrorCode = known?.code ?? 'internal';
  return sendPage(reply, new GraygateError(code).status, problemPage(code, known?.detail ?? null));
}

function sendPage(reply: Exchange['reply'], status: number, html: string): FastifyReply {
  return reply
    .code(status)
    .headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': linkPagePolicy,
      // The browser sends the form's Origin only when it may name the page's own site.
      'referrer-policy': 'same-origin',
    })
    .send(html);
}
