// A client that speaks HTTP/2 over TLS frame by frame: what the platform's own client would never send.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { authority } from './certificates.ts';
import { eventually } from './eventually.ts';
import type { TestContext } from './gateways.ts';
import { connectionOf, endStream, type Frame, type FrameConnection, frameType, readFrame } from './http2-frames.ts';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export class FrameClient {
  readonly connection: FrameConnection;
  isClosed = false;
  #bytes = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.connection = connectionOf(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => (this.isClosed = true));
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      for (let frame = readFrame(this.#bytes); frame !== null; frame = readFrame(this.#bytes)) {
        this.#bytes = this.#bytes.subarray(9 + frame.payload.length);
        this.connection.frames.push(frame);
      }
    });
  }

  /** A request with these fields besides the usual pseudo-headers. */
  request(streamId: number, options: { method?: string; fields?: readonly string[]; ends?: boolean } = {}): void {
    const { method = 'GET', fields = [], ends = true } = options;
    const usual = [':method', method, ':scheme', 'https', ':authority', 'shop.test', ':path', `/${streamId}`];
    this.connection.headers(streamId, [...usual, ...fields], ends ? endStream : 0);
  }

  data(streamId: number, text: string, flags = 0): void {
    this.connection.send(frameType.data, flags, streamId, Buffer.from(text, 'latin1'));
  }

  /** Frames of one type that came for a stream. */
  framesOf(type: number, streamId: number): Frame[] {
    return this.connection.frames.filter((frame) => frame.type === type && frame.streamId === streamId);
  }

  /** The error code that a stream was reset with. */
  async untilReset(streamId: number): Promise<number> {
    const frame = await eventually(`the reset of ${streamId}`, () => this.framesOf(frameType.reset, streamId)[0]);
    return frame.payload.readUInt32BE(0);
  }

  /** The error code of the last GOAWAY that came. */
  async untilGoaway(): Promise<number> {
    const frame = await eventually('the GOAWAY', () => this.framesOf(frameType.goaway, 0).at(-1));
    return frame.payload.readUInt32BE(4);
  }

  async untilClosed(): Promise<void> {
    await eventually('the end of the connection', () => this.isClosed);
  }

  /** Whether the connection still answers. */
  async isAlive(): Promise<boolean> {
    const before = this.framesOf(frameType.ping, 0).length;
    this.connection.send(frameType.ping, 0, 0, Buffer.alloc(8, 7));
    return eventually('a pong or the end', () =>
      this.isClosed ? 'closed' : this.framesOf(frameType.ping, 0).length > before ? 'alive' : null,
    ).then((state) => state === 'alive');
  }
}

/** A client whose preface is sent, with these settings; cut when the test ends. */
export async function openFrames(context: TestContext, port: number, settings?: Buffer): Promise<FrameClient> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'shop.test', ca: authority, ALPNProtocols: ['h2'] });
  context.after(() => void socket.destroy());
  await once(socket, 'secureConnect');
  const client = new FrameClient(socket);
  socket.write(preface, 'latin1');
  client.connection.send(frameType.settings, 0, 0, settings);
  return client;
}

/** The payload of SETTINGS with one value. */
export function settingPayload(id: number, value: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(id);
  payload.writeUInt32BE(value, 2);
  return payload;
}
