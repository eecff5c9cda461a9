// Which client speaks to a server: HTTP/1.1 or HTTP/2, plain or over TLS.
import type { VersionTimeouts } from '../../rollout/policy.ts';
import { createConnector, type ServerAddress } from './connector.ts';
import { createHttp1Client } from './http1-client.ts';
import { createHttp2Client } from './http2-client.ts';
import type { UpstreamClient } from './upstream-client.ts';

export type ClientSettings = ServerAddress & {
  readonly timeouts: VersionTimeouts;
  /** HTTP/2 and nothing else: agreed on in TLS, taken for granted without. */
  readonly http2: boolean;
};

/** A client without connections; they are opened as requests come. */
export function createUpstreamClient(settings: ClientSettings): UpstreamClient {
  const { origin, timeouts, http2 } = settings;
  if (http2) return createHttp2Client({ origin, timeouts, connector: createConnector(settings, 'h2') });
  return createHttp1Client({ timeouts, connector: createConnector(settings, 'http/1.1') });
}
