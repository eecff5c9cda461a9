// Checks of outside sources for tests, and the server of one.
import type { PrometheusCheck, WebhookCheck } from '../../src/rollout/staging.ts';

export const fields = { rollout: 'shop', version: 'canary', baseline: 'stable' };

export function prometheusCheck(url: string, more: Partial<PrometheusCheck> = {}): PrometheusCheck {
  const limits = { min: null, max: 0.7, everyMs: 20, timeoutMs: 10_000, failures: 3 };
  return { name: 'cpu', role: 'guard', metric: 'prometheus', url, query: 'cpu', ...limits, ...more };
}

export function webhookCheck(url: string, more: Partial<WebhookCheck> = {}): WebhookCheck {
  return { name: 'smoke', role: 'guard', metric: 'webhook', url, everyMs: 20, timeoutMs: 10_000, failures: 3, ...more };
}
