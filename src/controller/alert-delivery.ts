// One attempt to deliver one alert over HTTP. Says what came of it and decides nothing; never follows a redirect, which could
// carry what is secret to somebody else.
import { createHmac } from 'node:crypto';
import { request } from 'undici';
import { bodyOf } from './alert-formats.ts';
import type { Letter, LinkTerms } from './alert-remedies.ts';

/**
 * `refused`: the receiver does not want this message, others may arrive. `failed`: the receiver answered that it cannot now.
 * `dead`: it did not answer at all. `retryAfterMs`: what it asked for; null: nothing. `detail` holds no address.
 */
export type Delivery =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'refused' | 'failed'; readonly detail: string; readonly retryAfterMs: number | null }
  | { readonly kind: 'dead'; readonly detail: string; readonly retryAfterMs: null };

export type DeliveryTerms = LinkTerms & { readonly timeoutMs: number; readonly stop: AbortSignal };

/** Answers that say "later": to a client's message they mean nothing. */
const laterStatuses = new Set([408, 425, 429]);

/** Sends a letter once; never rejects. */
export async function deliver(letter: Letter, { timeoutMs, stop, ...terms }: DeliveryTerms): Promise<Delivery> {
  const body = bodyOf(letter, terms);
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const {
      statusCode,
      headers,
      body: answer,
    } = await request(letter.target.url, {
      method: 'POST',
      headers: headersOf(letter, body),
      body,
      signal: AbortSignal.any([stop, timeout]),
      // Alerts are rare: a connection kept for the next one would be closed by then.
      reset: true,
    });
    // The status has said it; whatever becomes of the rest changes nothing.
    answer.on('error', () => undefined).destroy();
    return meaningOf(statusCode, retryAfterMsOf(headers['retry-after']));
  } catch (error) {
    return {
      kind: 'dead',
      detail: timeout.aborted ? `no answer within ${timeoutMs} ms` : codeOf(error),
      retryAfterMs: null,
    };
  }
}

function headersOf({ id, target }: Letter, body: string): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'graygate',
    'x-graygate-delivery': id,
  };
  if (target.secret !== null) {
    headers['x-graygate-signature'] = `sha256=${createHmac('sha256', target.secret).update(body).digest('hex')}`;
  }
  return headers;
}

function meaningOf(status: number, retryAfterMs: number | null): Delivery {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const isRefusal = status < 500 && !laterStatuses.has(status);
  const detail = `the receiver answered ${status}${status >= 300 && status < 400 ? ', and redirects are not followed' : ''}`;
  return { kind: isRefusal ? 'refused' : 'failed', detail, retryAfterMs };
}

/** RFC 9110 section 10.2.3, the form in seconds; dates are not worth trusting two clocks for. */
function retryAfterMsOf(header: string | string[] | undefined): number | null {
  return typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : null;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'the request failed';
}
