// Opens connections to one server, plain or with TLS, and says what kept one from being opened. Knows nothing of HTTP beyond
// the name of the protocol that TLS agrees on.
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectSecure, createSecureContext, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { FaultKind } from '../../rollout/outcome.ts';
import type { ServerTls } from '../../rollout/policy.ts';

/** Where a server is, and what it must prove. */
export type ServerAddress = {
  /** `http://host:port` or `https://host:port`; the host is the name that the certificate must have. */
  readonly origin: string;
  /** An IP address of the host, where its name was looked up before; else the platform looks it up. */
  readonly ip?: string | null;
  /** How to meet an https origin; null: what the platform trusts, and no certificate of one's own. */
  readonly tls: ServerTls | null;
};

/** What to agree on in TLS; the first one is wanted most. Without TLS it is taken for granted. */
export type AlpnProtocol = 'h2' | 'http/1.1';

/** No connection could be had, so nothing was sent. `timeout`, or `connect` for every other cause. */
export class ConnectFault extends Error {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ConnectFault';
    this.kind = kind;
  }
}

/** Called once, never in the same turn, with a connection that can be written to, or with what went wrong. */
export type Connected = (fault: ConnectFault | null, socket: Socket | null) => void;

export interface Connector {
  /** Opens a connection, TLS included, within this time. Returns the way to give up, after which nobody is called. */
  open(timeoutMs: number, connected: Connected): () => void;
}

/** A dead peer that never said so is noticed after about this long and ten seconds. */
const keepAliveMs = 30_000;

/** Prepares all that the connections have in common; TLS sessions are taken up again by the next one. */
export function createConnector(address: ServerAddress, protocol: AlpnProtocol): Connector {
  const url = new URL(address.origin);
  const host = address.ip ?? url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (url.protocol === 'http:') {
    const port = Number(url.port || 80);
    return { open: (timeoutMs, connected) => open(connectPlain({ host, port, noDelay: true }), timeoutMs, connected) };
  }
  const dial = secureDial(address, { url, host, protocol });
  return { open: (timeoutMs, connected) => open(dial(), timeoutMs, connected) };
}

type Secure = { readonly url: URL; readonly host: string; readonly protocol: AlpnProtocol };

function secureDial({ tls }: ServerAddress, { url, host, protocol }: Secure): () => TLSSocket {
  const secureContext = createSecureContext({
    ...(tls?.ca == null ? {} : { ca: tls.ca }),
    ...(tls?.cert == null ? {} : { cert: tls.cert, key: tls.key! }),
    minVersion: 'TLSv1.2',
  });
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const options: ConnectionOptions = {
    host,
    port: Number(url.port || 443),
    // An address is never sent as a name (RFC 6066, 3); the certificate is then checked against the address.
    servername: tls?.servername ?? (isIP(name) === 0 ? name : ''),
    secureContext,
    rejectUnauthorized: tls?.insecure !== true,
    ALPNProtocols: [protocol],
  };
  let session: Buffer | undefined;
  return () => {
    const socket = connectSecure(session === undefined ? options : { ...options, session });
    socket.setNoDelay(true);
    let latest: Buffer | undefined;
    let isVerified = false;
    // With TLS 1.2 the session is there before its certificate was looked at.
    socket.on('session', (fresh) => {
      latest = fresh;
      if (isVerified) session = fresh;
    });
    socket.once('secureConnect', () => {
      isVerified = true;
      session = latest ?? session;
    });
    return socket;
  };
}

function open(socket: Socket, timeoutMs: number, connected: Connected): () => void {
  const readyEvent = 'secureConnecting' in socket ? 'secureConnect' : 'connect';
  const stop = (): void => {
    clearTimeout(timer);
    socket.off(readyEvent, onReady).off('error', onError).off('close', onClose);
  };
  const fail = (fault: ConnectFault): void => {
    stop();
    // An error that comes late, of a connection that nobody wants any more, has nobody to tell.
    socket.on('error', () => undefined).destroy();
    connected(fault, null);
  };
  const onError = (error: NodeJS.ErrnoException): void => {
    fail(new ConnectFault(error.code === 'ETIMEDOUT' ? 'timeout' : 'connect', error.message, error));
  };
  const onClose = (): void => fail(new ConnectFault('connect', 'the connection was closed before it was ready'));
  const onReady = (): void => {
    stop();
    socket.setKeepAlive(true, keepAliveMs);
    connected(null, socket);
  };
  const timer = setTimeout(() => fail(new ConnectFault('timeout', `no connection within ${timeoutMs} ms`)), timeoutMs);
  socket.once(readyEvent, onReady).once('error', onError).once('close', onClose);
  return () => {
    stop();
    socket.on('error', () => undefined).destroy();
  };
}
