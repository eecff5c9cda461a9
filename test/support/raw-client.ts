// A client that sends chosen bytes and keeps every byte that comes back, for what no well-behaved client would send.
import { connect, type Socket } from 'node:net';
import { eventually } from './eventually.ts';
import { type RawReply, parseReplies } from './raw-replies.ts';

export class RawClient {
  readonly socket: Socket;
  /** One char a byte. */
  received = '';
  /** How the connection ended; null while it is open. */
  ended: 'closed' | 'reset' | null = null;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk: Buffer) => (this.received += chunk.toString('latin1')));
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') this.ended ??= 'reset';
    });
    this.socket.on('close', () => (this.ended ??= 'closed'));
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The replies so far; the last one may be unfinished. */
  replies(methods: readonly string[] = []): RawReply[] {
    return parseReplies(this.received, { methods, ended: this.ended !== null });
  }

  async untilText(text: string): Promise<void> {
    await eventually(`${JSON.stringify(text)} in ${JSON.stringify(this.received)}`, () => this.received.includes(text));
  }

  async untilReplies(count: number, methods: readonly string[] = []): Promise<RawReply[]> {
    return eventually(`${count} replies`, () => {
      const whole = this.replies(methods).filter((reply) => reply.whole);
      return whole.length >= count ? whole : null;
    });
  }

  async untilEnded(): Promise<'closed' | 'reset'> {
    return eventually('the end of the connection', () => this.ended);
  }
}

/** Sends bytes and hands back the replies once the gateway has closed the connection. */
export async function sendUntilClosed(port: number, bytes: string | Buffer): Promise<RawReply[]> {
  const client = new RawClient(port);
  client.send(bytes);
  await client.untilEnded();
  return client.replies();
}

/** Sends the bytes of one request and hands back its reply. */
export async function sendRaw(port: number, bytes: string | Buffer, method = 'GET'): Promise<RawReply> {
  const client = new RawClient(port);
  client.send(bytes);
  const [reply] = await client.untilReplies(1, [method]);
  client.socket.destroy();
  return reply!;
}
