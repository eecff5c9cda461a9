// One line a request, when somebody wants it. Costs nothing when nobody does: the caller gets null instead of a function.
import type { Outcome } from '../rollout/outcome.ts';

/** The two verbs of the logger that the access log uses. */
export interface AccessLogger {
  isLevelEnabled(level: string): boolean;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

/**
 * Writes requests at level info where the policy turns the access log on, at debug where only the level asks for it; null
 * where neither does.
 */
export function createAccessLog(logger: AccessLogger, isOn: boolean): ((outcome: Outcome) => void) | null {
  if (isOn) return (outcome) => logger.info(fieldsOf(outcome), 'request');
  if (logger.isLevelEnabled('debug')) return (outcome) => logger.debug(fieldsOf(outcome), 'request');
  return null;
}

function fieldsOf(outcome: Outcome): object {
  return {
    requestId: outcome.requestId,
    method: outcome.method,
    target: toText(outcome.target),
    ip: outcome.ip,
    rollout: outcome.rollout?.name,
    version: outcome.version?.name,
    reason: outcome.reason,
    ...(outcome.rule === null ? {} : { rule: outcome.rule }),
    bucket: outcome.bucket,
    user: outcome.user === null ? null : toText(outcome.user),
    upstream: outcome.server,
    status: outcome.status,
    ...(outcome.grpcStatus === null ? {} : { grpcStatus: outcome.grpcStatus }),
    ending: outcome.ending,
    durationMs: Math.round(outcome.durationMs * 1_000) / 1_000,
    requestBytes: outcome.requestByteCount,
    responseBytes: outcome.responseByteCount,
    ...(outcome.faults.length === 0 ? {} : { faults: outcome.faults.map(describeFault) }),
    ...(outcome.retries.length === 0 ? {} : { retries: outcome.retries }),
    ...(outcome.fallback === null ? {} : { fallback: outcome.fallback }),
  };
}

function describeFault({ version, server, kind }: Outcome['faults'][number]): object {
  return { version: version.name, server, kind };
}

/** Bytes as the text they encode; what is not UTF-8 shows as replacement characters. */
function toText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
