// An admin port on a free port of this machine, and how tests ask it.
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { createAdmin } from '../../src/admin/admin.ts';
import { streamLimits, type StreamLimits } from '../../src/admin/stream-hub.ts';
import { type Reply, send } from '../support/http-client.ts';
import { FakeRooms } from './fake-parts.ts';

export type Asking = {
  readonly method?: string;
  /** Name and value; a `host` here replaces the real one. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string;
};

export type AdminPort = {
  readonly rooms: FakeRooms;
  readonly port: number;
  readonly instance: ReturnType<typeof createAdmin>;
  readonly ask: (path: string, asking?: Asking) => Promise<Reply>;
  readonly act: (action: string, asking?: Asking) => Promise<Reply>;
};

/** Opens one; it is closed after the test or suite that opened it. */
export async function openAdminPort(limits: Partial<StreamLimits> = {}): Promise<AdminPort> {
  const rooms = new FakeRooms();
  const instance = createAdmin(rooms.parts, { ...streamLimits, ...limits });
  await instance.listen({ host: '127.0.0.1', port: 0 });
  after(() => instance.close());
  const { port } = instance.server.address() as AddressInfo;
  const ask = (path: string, { method = 'GET', headers = {}, json, body }: Asking = {}): Promise<Reply> => {
    const all = {
      host: `127.0.0.1:${port}`,
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    };
    // As bytes: beside a body of text Node's client would send the bytes of a header as UTF-8 once more.
    const text = body ?? (json === undefined ? undefined : JSON.stringify(json));
    return send({
      port,
      method,
      path,
      headers: Object.entries(all).flat(),
      ...(text === undefined ? {} : { body: Buffer.from(text) }),
    });
  };
  const act = (action: string, asking: Asking = {}): Promise<Reply> =>
    ask(`/api/v1/rollouts/shop/${action}`, { method: 'POST', json: { reason: 'because' }, ...asking });
  return { rooms, port, instance, ask, act };
}
