// What flows between a client and a server once the server has answered a request to switch: both directions, or a refusal's body.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FaultKind } from '../rollout/outcome.ts';
import type { TunnelEnd } from './client/tunnel-end.ts';
import { faultKindOf } from './faults.ts';

/** The other end of a dead connection that never said so is noticed after about this long. */
const keepAliveMs = 60_000;

/** A server that was told that the client is gone may take so long to end its side. */
const lastWordsMs = 5_000;

/** What is told of what flows. */
export interface Flow {
  /** The server broke off after it had answered. */
  broke(kind: FaultKind): void;
  sentBytes(byteCount: number): void;
  receivedBytes(byteCount: number): void;
}

type Refusal = { readonly answer: IncomingMessage; readonly client: TunnelEnd; readonly idleMs: number };

/** The body of a refusal, ended by the end of the connection: where it is not whole, the connection ends with a reset. */
export function passOnRefusal({ answer, client, idleMs }: Refusal, flow: Flow): void {
  const breakOff = (kind: FaultKind): void => {
    flow.broke(kind);
    client.breakOff();
  };
  answer.setTimeout(idleMs, () => breakOff('timeout'));
  answer.on('data', (chunk: Buffer) => flow.receivedBytes(chunk.length));
  answer.on('error', (error) => breakOff(faultKindOf(error, true)));
  answer.on('end', () => client.endDeclined());
  answer.pipe(client.stream, { end: false });
}

type Ends = {
  readonly client: TunnelEnd;
  readonly server: Socket;
  readonly serverHead: Buffer;
  readonly idleMs: number;
};

/** Both directions, half-close included; when one side is gone the other is too, once it has what was sent to it. */
export function joinStreams({ client, server, serverHead, idleMs }: Ends, flow: Flow): void {
  const { stream, head } = client;
  server.setKeepAlive(true, keepAliveMs).setNoDelay(true);
  if (serverHead.length > 0) {
    flow.receivedBytes(serverHead.length);
    stream.write(serverHead);
  }
  if (head.length > 0) {
    flow.sentBytes(head.length);
    server.write(head);
  }
  stream.on('data', (chunk: Buffer) => flow.sentBytes(chunk.length));
  server.on('data', (chunk: Buffer) => flow.receivedBytes(chunk.length));
  stream.pipe(server);
  server.pipe(stream);
  stream.on('close', () => server.destroy());
  server.on('error', () => flow.broke('reset'));
  server.on('close', (hadError) => {
    if (hadError) {
      client.destroy();
      return;
    }
    client.endSoon(idleMs);
  });
}

/** Nothing of the client reaches the server any more, which ends the tunnel in its own time. */
export function endBehind({ stream }: TunnelEnd, server: Socket): void {
  stream.unpipe(server);
  stream.resume();
  server.end();
  const late = setTimeout(() => server.destroy(), lastWordsMs);
  server.once('close', () => clearTimeout(late));
}
