// Tells HTTP/2 with prior knowledge (RFC 9113, 3.3) from everything else by the first bytes of a plain connection: most gRPC inside
// a cluster comes this way. Costs a connection one turn, and a request nothing.
import type { Socket } from 'node:net';

/** What the preface begins with; no method of HTTP/1.1 is called so (RFC 9113, 3.4). */
const beginning = Buffer.from('PRI ');

export interface SniffedHandler {
  onHttp2(socket: Socket): void;
  /** Anything else, or nothing within the time. */
  onOther(socket: Socket): void;
}

/** Looks at what comes first on a connection of which nothing was read, and hands it on with nothing read of it. */
export function sniffPreface(socket: Socket, waitMs: number, handler: SniffedHandler): void {
  let bytes: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('data', onData).off('end', onEnd).off('error', onEnd).off('close', stop);
  };
  const handOn = (isHttp2: boolean): void => {
    stop();
    socket.pause();
    if (bytes.length > 0) socket.unshift(bytes);
    if (isHttp2) {
      handler.onHttp2(socket);
      return;
    }
    handler.onOther(socket);
    socket.resume();
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const length = Math.min(bytes.length, beginning.length);
    const isAlike = bytes.subarray(0, length).equals(beginning.subarray(0, length));
    if (!isAlike || length === beginning.length) handOn(isAlike);
  };
  const onEnd = (): void => {
    stop();
    socket.destroy();
  };
  const timer = setTimeout(() => handOn(false), waitMs);
  socket.on('data', onData).on('end', onEnd).on('error', onEnd).on('close', stop);
}
