// A server that speaks HTTP/2 frame by frame (RFC 9113, 4.1), right or wrong: what the platform's own server would never send.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from './gateways.ts';

export const frameType = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 } as const;
export const endStream = 1;
export const endHeaders = 4;

export type Frame = {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
};

/** One connection of the client. */
export interface FrameConnection {
  readonly socket: Socket;
  /** Everything the client sent, in order. */
  readonly frames: Frame[];
  send(type: number, flags: number, streamId: number, payload?: Buffer): void;
  /** A head, or trailers; `:status` first. */
  headers(streamId: number, fields: readonly string[], flags?: number): void;
  reset(streamId: number, code: number): void;
  goaway(lastStreamId: number, code: number): void;
}

export type FrameServer = { readonly origin: string; readonly connections: FrameConnection[] };

export type FrameServerOptions = {
  /** Called with each head of a request, once it is whole. */
  onRequest(connection: FrameConnection, streamId: number): void;
  /** Default: settings without a value, and acknowledges those of the client. */
  greet?(connection: FrameConnection): void;
  /** Default: acknowledges pings. */
  onPing?(connection: FrameConnection, frame: Frame): void;
};

const prefaceByteCount = 24;

/** Runs until the test ends. */
export async function startFrameServer(context: TestContext, options: FrameServerOptions): Promise<FrameServer> {
  const connections: FrameConnection[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const connection = connectionOf(socket);
    connections.push(connection);
    if (options.greet === undefined) connection.send(frameType.settings, 0, 0);
    else options.greet(connection);
    let bytes = Buffer.alloc(0);
    let skipped = prefaceByteCount;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk.subarray(skipped)]);
      skipped = Math.max(0, skipped - chunk.length);
      for (let frame = readFrame(bytes); frame !== null; frame = readFrame(bytes)) {
        bytes = bytes.subarray(9 + frame.payload.length);
        connection.frames.push(frame);
        react(connection, frame, options);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    for (const { socket } of connections) socket.destroy();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections };
}

/** The payload of a SETTINGS frame. */
export function settingsPayload(values: Readonly<Record<number, number>>): Buffer {
  const entries = Object.entries(values);
  const payload = Buffer.alloc(entries.length * 6);
  for (const [index, [id, value]] of entries.entries()) {
    payload.writeUInt16BE(Number(id), index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return payload;
}

function react(connection: FrameConnection, frame: Frame, options: FrameServerOptions): void {
  const isAck = (frame.flags & 1) === 1;
  if (frame.type === frameType.settings && !isAck && options.greet === undefined)
    connection.send(frameType.settings, 1, 0);
  const isHead = frame.type === frameType.headers && (frame.flags & endHeaders) !== 0;
  const isFirst =
    connection.frames.filter(({ type, streamId }) => type === 1 && streamId === frame.streamId).length === 1;
  if (isHead && isFirst) options.onRequest(connection, frame.streamId);
  if (frame.type !== frameType.ping || isAck) return;
  if (options.onPing === undefined) connection.send(frameType.ping, 1, 0, frame.payload);
  else options.onPing(connection, frame);
}

/** A connection on which frames are sent as they are given; what comes is not read. */
export function connectionOf(socket: Socket): FrameConnection {
  const send = (type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): void => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(streamId, 5);
    socket.write(Buffer.concat([head, payload]));
  };
  return {
    socket,
    frames: [],
    send,
    headers: (streamId, fields, flags = 0) => send(frameType.headers, flags | endHeaders, streamId, packFields(fields)),
    reset: (streamId, code) => send(frameType.reset, 0, streamId, numbers(code)),
    goaway: (lastStreamId, code) => send(frameType.goaway, 0, 0, numbers(lastStreamId, code)),
  };
}

function numbers(...values: number[]): Buffer {
  const payload = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) payload.writeUInt32BE(value, index * 4);
  return payload;
}

/** Fields as literals that nobody remembers (RFC 7541, 6.2.2), each shorter than 127 bytes but for the value. */
export function packFields(fields: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    parts.push(Buffer.from([0]), packText(fields[i]!), packText(fields[i + 1]!));
  }
  return Buffer.concat(parts);
}

function packText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

/** The first frame in these bytes; null where it is not whole. */
export function readFrame(bytes: Buffer): Frame | null {
  if (bytes.length < 9) return null;
  const byteCount = bytes.readUIntBE(0, 3);
  if (bytes.length < 9 + byteCount) return null;
  return {
    type: bytes.readUInt8(3),
    flags: bytes.readUInt8(4),
    streamId: bytes.readUInt32BE(5),
    payload: bytes.subarray(9, 9 + byteCount),
  };
}
