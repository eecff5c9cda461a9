// Copies requests of a rollout to its candidate. Looks on beside the request and gives it nothing to wait for.
import type { AnswerTap, Onlooker, WatchedRequest } from '../answer-tap.ts';
import { forwardedHeaders } from '../request-headers.ts';
import { type MirrorParts, RequestCopy } from './request-copy.ts';

const copiedMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Of a rollout with the key `mirror`. */
export class MirrorOnlooker implements Onlooker {
  readonly needsClaims = false;
  readonly #parts: MirrorParts;
  readonly #decisionHeaders: readonly string[];
  /** Where a request names no host. */
  readonly #upstreamHost: string;
  #activeCount = 0;

  constructor(parts: MirrorParts) {
    const { mirror, rollout } = parts;
    this.#parts = parts;
    const names = ['x-graygate-rollout', rollout, 'x-graygate-version', mirror.to.name];
    this.#decisionHeaders = [...names, 'x-graygate-mirror', '1'];
    this.#upstreamHost = new URL(mirror.to.servers[0].origin).host;
  }

  watch(request: WatchedRequest): AnswerTap | null {
    const { mirror, rollout } = this.#parts;
    if (!copiedMethods.has(request.facts.method) || request.decision.version.index === mirror.to.index) return null;
    // By chance: every twentieth request would be the same one of a page and its nineteen parts.
    if (mirror.percent < 100 && Math.random() * 100 >= mirror.percent) return null;
    if (this.#activeCount >= mirror.maxRequests) {
      this.#parts.mirrored({ rollout, version: mirror.to.name, kind: 'skipped', reason: 'busy' });
      return null;
    }
    this.#activeCount += 1;
    const copy = new RequestCopy(this.#parts, this.#originalOf(request), () => {
      this.#activeCount -= 1;
    });
    return copy.looksOn ? copy : null;
  }

  #originalOf({ facts, rawHeaders, requestId }: WatchedRequest) {
    const { path, query } = facts.target;
    return {
      method: facts.method,
      path: path + query,
      target: path + query,
      headers: forwardedHeaders(rawHeaders, {
        facts,
        requestId,
        decisionHeaders: this.#decisionHeaders,
        upstreamHost: this.#upstreamHost,
      }),
      hasBody: announcesBody(rawHeaders),
      requestId,
    };
  }
}

function announcesBody(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (name === 'transfer-encoding' || (name === 'content-length' && Number(rawHeaders[i + 1]) > 0)) return true;
  }
  return false;
}
