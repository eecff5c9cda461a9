// Servers that answer before they have the whole request, and close without reading the rest: clients get the answer, in whatever
// way the request was framed, and whatever becomes of their own connection afterwards.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { suite, test } from 'node:test';
import { createServer as createSecureServer } from 'node:tls';
import { authority, pemOf } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type RunningGateway, type TestContext } from '../support/gateways.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';

const tls = { ca: authority, cert: null, key: null, servername: null, insecure: false };
const secrets = { cert: pemOf('shop.pem'), key: pemOf('shop.key') };
const size = 10 * 2 ** 20;
const piece = Buffer.alloc(65_536, 'x');
const chunk = Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]);

/** Answers as soon as it has heard anything, and closes with the rest unread. */
async function stage(context: TestContext, isSecure: boolean, answer: string): Promise<RunningGateway> {
  const onConnection = (socket: Socket): void => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      socket.pause();
      socket.write(answer, () => socket.destroy());
    });
  };
  const server = isSecure ? createSecureServer(secrets, onConnection) : createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => void server.close());
  const origin = `${isSecure ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return startGateway(context, shopPolicy({ stable: { servers: [origin], tls: isSecure ? tls : null } }));
}

/** Sends 10 MiB as fast as they are taken, for as long as anybody takes them. */
function upload(port: number, headers: string): RawClient {
  const client = new RawClient(port);
  const isChunked = headers.includes('chunked');
  client.send(`POST / HTTP/1.1\r\nHost: shop.test\r\n${headers}\r\n\r\n`);
  let left = size;
  const send = (): void => {
    while (left > 0 && client.socket.writable) {
      left -= piece.length;
      if (!client.socket.write(isChunked ? chunk : piece)) return;
    }
    if (isChunked && client.socket.writable) client.send('0\r\n\r\n');
    client.socket.off('drain', send);
  };
  client.socket.on('drain', send);
  send();
  return client;
}

const answers = {
  'of known length': 'HTTP/1.1 413 No\r\nContent-Length: 5\r\n\r\nlarge',
  'in chunks': 'HTTP/1.1 413 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlarge\r\n0\r\n\r\n',
};
const framings = { 'of known length': `Content-Length: ${size}`, 'in chunks': 'Transfer-Encoding: chunked' };

for (const isSecure of [false, true]) {
  suite(`a server ${isSecure ? 'behind TLS ' : ''}that answers an upload and closes`, () => {
    for (const [what, answer] of Object.entries(answers)) {
      for (const [how, framing] of Object.entries(framings)) {
        test(`has its answer ${what} passed on to a client that uploads ${how}`, async (t) => {
          const { port, outcomes } = await stage(t, isSecure, answer);
          for (let i = 1; i <= 5; i += 1) {
            const client = upload(port, framing);
            const [reply] = await client.untilReplies(1);
            assert.deepEqual([reply!.status, reply!.body], [413, 'large']);
            client.socket.destroy();
            await eventually('the outcome', () => outcomes.length === i);
            assert.deepEqual([outcomes.at(-1)!.ending, outcomes.at(-1)!.faults], ['complete', []]);
          }
        });
      }
    }

    test('has it passed on before the connection of a client that wants it closed is', async (t) => {
      const { port } = await stage(t, isSecure, answers['of known length']);
      for (let i = 1; i <= 5; i += 1) {
        const client = upload(port, `${framings['of known length']}\r\nConnection: close`);
        assert.equal(await client.untilEnded(), 'closed');
        const [reply] = client.replies();
        assert.deepEqual([reply!.status, reply!.body, reply!.whole], [413, 'large', true]);
      }
    });

    test('is at fault where it cuts its answer, which never looks whole', async (t) => {
      const { port, outcomes } = await stage(t, isSecure, 'HTTP/1.1 413 No\r\nContent-Length: 9\r\n\r\nlarge');
      const client = upload(port, framings['in chunks']);
      await client.untilEnded();
      assert.deepEqual(
        client.replies().filter(({ whole }) => whole),
        [],
      );
      await eventually('the outcome', () => outcomes.length === 1);
      const [{ status, ending, faults }] = outcomes as [(typeof outcomes)[0]];
      assert.deepEqual([status, ending, faults.map(({ kind }) => kind)], [413, 'cut', ['reset']]);
    });
  });
}

test('a client that stops in the middle of a chunk, because it has its answer, sent nothing malformed', async (t) => {
  const { port, malformed, outcomes } = await stage(t, false, answers['of known length']);
  for (const headers of ['', '\r\nConnection: close']) {
    const client = new RawClient(port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked${headers}\r\n\r\n10000\r\nsome`);
    await client.untilText('large');
    client.socket.end();
    assert.equal(await client.untilEnded(), 'closed');
    assert.equal(client.replies().length, 1);
  }
  assert.deepEqual([malformed, outcomes.map(({ status }) => status)], [[], [413, 413]]);
});

test('what is wrong after the rest of an answered request is answered', async (t) => {
  const { port, malformed } = await stage(t, false, answers['of known length']);
  const client = new RawClient(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome');
  await client.untilText('large');
  client.send('\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost : a\r\n\r\n');
  assert.equal(await client.untilEnded(), 'closed');
  assert.deepEqual([client.replies().map(({ status }) => status), malformed], [[413, 400], [400]]);
});

test('a refused upload has its answer before the connection of a client that wants it closed ends', async (t) => {
  const rollout = { match: { hosts: [], paths: ['/other'] } };
  const { port } = await startGateway(t, shopPolicy({ stable: 'http://127.0.0.1:1', rollout }));
  for (let i = 0; i < 5; i += 1) {
    const client = upload(port, `${framings['of known length']}\r\nConnection: close`);
    assert.equal(await client.untilEnded(), 'closed');
    assert.equal(client.replies()[0]!.status, 404);
  }
});
