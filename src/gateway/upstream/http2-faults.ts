// From the codes of HTTP/2 and of the platform to what became of a request.
import { constants } from 'node:http2';
import type { FaultKind } from '../../rollout/outcome.ts';

const protocolCodes: ReadonlySet<number> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
  constants.NGHTTP2_INADEQUATE_SECURITY,
  constants.NGHTTP2_HTTP_1_1_REQUIRED,
]);

/** What the library itself found wrong in what it read. */
const protocolErrors: ReadonlySet<string> = new Set(['ERR_HTTP2_ERROR', 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES']);

/** What a stream that ended too early had: `error` of its connection or its own, and the code of its reset (RFC 9113, 7). */
export function faultKindOfStream(error: Error, rstCode: number): FaultKind {
  const { code = '' } = error as { code?: string };
  if (code === 'ETIMEDOUT') return 'timeout';
  return protocolErrors.has(code) || protocolCodes.has(rstCode) ? 'protocol' : 'reset';
}
