// What `validate --strict` says about certificates: those that clients will refuse although they fit their keys.
import type { Certificate, Tls } from '../rollout/entrance.ts';
import { type Finding, type Path, valueFinding } from './finding.ts';

/** So long before a certificate ends it should have been renewed. */
const renewMs = 14 * 86_400_000;

/** Certificates that are not valid yet, not any more, or not for long. `isList`: how `tls` is written. */
export function tlsWarnings(tls: Tls | null, { isList, nowMs }: { isList: boolean; nowMs: number }): Finding[] {
  return (tls?.certificates ?? []).flatMap((certificate, index) => {
    const found = warningOf(certificate, nowMs);
    if (found === null) return [];
    const path: Path = isList ? ['tls', index, 'cert'] : ['tls', 'cert'];
    return [valueFinding(path, found.problem, found.hint)];
  });
}

function warningOf({ fromMs, untilMs }: Certificate, nowMs: number): Pick<Finding, 'problem' | 'hint'> | null {
  const hint = 'renew it; it is read again when the file changes';
  if (nowMs >= untilMs) return { problem: `has expired on ${dayOf(untilMs)}`, hint };
  if (nowMs >= untilMs - renewMs) return { problem: `expires on ${dayOf(untilMs)}`, hint };
  if (nowMs < fromMs) return { problem: `is not valid before ${dayOf(fromMs)}`, hint: 'is the clock right?' };
  return null;
}

function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
