// From an error of a connected socket to what became of its request.
import type { FaultKind } from '../../rollout/outcome.ts';

/** The kind of fault; what TLS finds wrong in what it reads is not HTTP. */
export function faultKindOfSocket(error: Error): FaultKind {
  const { code = '' } = error as { code?: string };
  if (code === 'ETIMEDOUT') return 'timeout';
  return code.startsWith('ERR_SSL') ? 'protocol' : 'reset';
}
