// A server that answers with chosen bytes, right or wrong, and records every byte that it was sent.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from './gateways.ts';

/** A connection from the gateway. `text` is all that came in on it, one char a byte. */
export type RawConnection = { readonly socket: Socket; text: string; closed: boolean };

export type RawUpstream = {
  readonly origin: string;
  readonly connections: RawConnection[];
  /** All connections' bytes, one after the other. */
  received(): string;
  /** Requests on all connections, by their request lines. */
  requestLines(): string[];
};

/** Called for each request head that is complete; the text of the connection so far is given. */
export type RawAnswer = (connection: RawConnection, headCount: number) => void;

/** Runs until the test ends. */
export async function startRawUpstream(context: TestContext, answer: RawAnswer): Promise<RawUpstream> {
  const connections: RawConnection[] = [];
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const connection: RawConnection = { socket, text: '', closed: false };
    connections.push(connection);
    let headCount = 0;
    socket.on('data', (chunk: Buffer) => {
      connection.text += chunk.toString('latin1');
      const heads = connection.text.split('\r\n\r\n').length - 1;
      if (heads > headCount) answer(connection, (headCount = heads));
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => (connection.closed = true));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    for (const { socket } of connections) socket.destroy();
  });
  const received = (): string => connections.map(({ text }) => text).join('');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    received,
    requestLines: () => received().match(/^[A-Z-]+ .* HTTP\/1\.1$/gm) ?? [],
  };
}

/** Answers every request with these bytes. */
export function answering(bytes: string): RawAnswer {
  return ({ socket }) => void socket.write(Buffer.from(bytes, 'latin1'));
}
