// A WebSocket that says back what it hears (RFC 6455), so that the tour can show an upgrade through the gateway.
// It stands for anyone's server and does no more than an echo needs: no extensions, frames of at most 64 KiB.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

type Frame = { readonly opcode: number; readonly final: boolean; readonly payload: Buffer; readonly byteCount: number };

const acceptSalt = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const [opClose, opPing, opPong] = [0x8, 0x9, 0xa];
const [protocolError, messageTooBig] = [1002, 1009];

/** Accepts the upgrade and echoes every message until either side closes; anything else than a WebSocket gets 400. */
export function echoWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const key = request.headers['sec-websocket-key'];
  socket.on('error', () => socket.destroy());
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const accept = createHash('sha1').update(`${key}${acceptSalt}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let pending = head;
  socket.on('data', (chunk: Buffer) => (pending = answerFrames(socket, Buffer.concat([pending, chunk]))));
  pending = answerFrames(socket, pending);
}

/** Answers every whole frame and returns the rest. */
function answerFrames(socket: Duplex, bytes: Buffer): Buffer {
  let rest = bytes;
  while (!socket.writableEnded) {
    const frame = readFrame(rest);
    if (frame === 'incomplete') return rest;
    if (typeof frame === 'number') {
      closeWith(socket, frame);
      break;
    }
    rest = rest.subarray(frame.byteCount);
    if (frame.opcode === opClose) socket.end(writeFrame({ ...frame, payload: frame.payload.subarray(0, 2) }));
    else if (frame.opcode === opPing) socket.write(writeFrame({ ...frame, opcode: opPong }));
    else if (frame.opcode !== opPong) socket.write(writeFrame(frame));
  }
  return Buffer.alloc(0);
}

/** A number is the close code for a frame that is refused. */
function readFrame(bytes: Buffer): Frame | 'incomplete' | number {
  if (bytes.length < 2) return 'incomplete';
  const isMasked = (bytes[1]! & 0x80) !== 0;
  const shortLength = bytes[1]! & 0x7f;
  if (!isMasked) return protocolError;
  if (shortLength === 127) return messageTooBig;
  const maskAt = shortLength === 126 ? 4 : 2;
  if (bytes.length < maskAt + 4) return 'incomplete';
  const length = shortLength === 126 ? bytes.readUInt16BE(2) : shortLength;
  const byteCount = maskAt + 4 + length;
  if (bytes.length < byteCount) return 'incomplete';
  const mask = bytes.subarray(maskAt, maskAt + 4);
  const payload = Buffer.from(bytes.subarray(maskAt + 4, byteCount).map((byte, i) => byte ^ mask[i % 4]!));
  return { opcode: bytes[0]! & 0x0f, final: (bytes[0]! & 0x80) !== 0, payload, byteCount };
}

function writeFrame(frame: Pick<Frame, 'opcode' | 'final' | 'payload'>): Buffer {
  const { length } = frame.payload;
  const head = length < 126 ? Buffer.alloc(2) : Buffer.alloc(4);
  head[0] = (frame.final ? 0x80 : 0) | frame.opcode;
  head[1] = length < 126 ? length : 126;
  if (length >= 126) head.writeUInt16BE(length, 2);
  return Buffer.concat([head, frame.payload]);
}

function closeWith(socket: Duplex, code: number): void {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  socket.end(writeFrame({ opcode: opClose, final: true, payload }));
}
