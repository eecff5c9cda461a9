// A server of names on a port of its own, which answers what the test wants it to.
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import type { TestContext } from './gateways.ts';

/** `missing`: there is no such name; `failing`: the server of names has trouble; `silent`: it does not answer. */
export type Zone = Record<string, readonly string[] | 'missing' | 'failing' | 'silent'>;

const typeOf = { A: 1, AAAA: 28 } as const;
const responseCodes = { missing: 3, failing: 2 } as const;

/** Runs until the test ends. What `zone` says may change meanwhile. */
export async function startDnsServer(context: TestContext, zone: Zone, ttlSeconds = 1) {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const { name, type, question } = readQuestion(query);
    asked.push(name);
    const known = zone[name] ?? 'missing';
    if (known === 'silent') return;
    const addresses =
      typeof known === 'string' ? [] : known.filter((each) => each.includes(':') === (type === typeOf.AAAA));
    const code = typeof known === 'string' ? responseCodes[known] : 0;
    socket.send(
      answerTo(query.subarray(0, 2), { question, code, addresses, type, ttlSeconds }),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  context.after(() => void socket.close());
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return { resolver, asked };
}

function readQuestion(query: Buffer): { name: string; type: number; question: Buffer } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), question: query.subarray(12, at + 5) };
}

type Answer = {
  readonly question: Buffer;
  readonly code: number;
  readonly addresses: readonly string[];
  readonly type: number;
  readonly ttlSeconds: number;
};

function answerTo(id: Buffer, { question, code, addresses, type, ttlSeconds }: Answer): Buffer {
  const header = Buffer.alloc(10);
  header.writeUInt16BE(0x8180 | code, 0);
  header.writeUInt16BE(1, 2);
  header.writeUInt16BE(addresses.length, 4);
  const records = addresses.map((address) => {
    const bytes = bytesOf(address);
    const record = Buffer.alloc(12);
    // The name is the one that was asked for, at offset 12 of the message.
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(ttlSeconds, 6);
    record.writeUInt16BE(bytes.length, 10);
    return Buffer.concat([record, bytes]);
  });
  return Buffer.concat([id, header, question, ...records]);
}

/** IPv6 addresses are written in full here: eight groups. */
function bytesOf(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  return Buffer.from(
    address
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
    'hex',
  );
}
