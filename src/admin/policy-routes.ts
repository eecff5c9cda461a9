// The policy in force, without its secrets, and why the last one was refused.
import type { AdminParts } from './admin-parts.ts';
import { type AdminInstance, problemResponses } from './admin-instance.ts';
import { policyShape } from './contract.ts';

/** `GET /api/v1/policy`. */
export function addPolicyRoutes(app: AdminInstance, { policy }: Pick<AdminParts, 'policy'>): void {
  const schema = {
    tags: ['policy'],
    summary: 'The policy in force as it was written, secrets masked, and the problems of the last one that was refused',
    response: { 200: policyShape, ...problemResponses() },
  };
  app.get('/api/v1/policy', { config: { role: 'viewer' }, schema }, () => {
    return { ...policy.current(), lastRejected: policy.lastRejected() };
  });
}
