// Opens connections to one server, plain or with TLS, and says what kept one from being opened. Knows nothing of HTTP beyond
// the name of the protocol that TLS agrees on.
import { connect as connectPlain, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectSecure, createSecureContext, type ConnectionOptions, TLSSocket } from 'node:tls';
import type { FaultKind } from '../../rollout/outcome.ts';
import type { ServerTls } from '../../rollout/policy.ts';
import { isTlsAlert, tlsProblemOf } from './tls-problem.ts';

/** Where a server is, and what it must prove. */
export type ServerAddress = {
  /** `http://host:port` or `https://host:port`; the host is the name that the certificate must have. */
  readonly origin: string;
  /** An IP address of the host, where its name was looked up before; else the platform looks it up. */
  readonly ip?: string | null;
  /** How to meet an https origin; null: what the platform trusts, and no certificate of one's own. */
  readonly tls: ServerTls | null;
  /** Is told why TLS with a server that is there came to nothing; once for as long as no connection is had. */
  readonly report?: ((problem: string) => void) | undefined;
};

/** What to agree on in TLS. Without TLS it is taken for granted. */
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
  /**
   * Opens a connection, TLS included, within this time. Returns the way to give up, after which nobody is called. What comes in goes
   * into the memory of `onread`, where it is given; else the socket emits it.
   */
  open(timeoutMs: number, connected: Connected, onread?: OnReadOpts): () => void;
}

/** A dead peer that never said so is noticed after about this long and ten seconds. */
const keepAliveMs = 30_000;

/** Prepares all that the connections have in common; the next one takes up the TLS session of the one before. */
export function createConnector(address: ServerAddress, protocol: AlpnProtocol): Connector {
  const url = new URL(address.origin);
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const host = address.ip ?? name;
  if (url.protocol === 'http:') {
    const port = Number(url.port || 80);
    return {
      open: (timeoutMs, connected, onread) =>
        open(connectPlain({ host, port, noDelay: true, onread }), timeoutMs, connected),
    };
  }
  const dial = secureDial(address, { name, host, port: Number(url.port || 443), protocol });
  const report = reportChanges(address.report);
  return {
    open: (timeoutMs, connected, onread) =>
      open(dial(onread), timeoutMs, (failure, socket) => {
        const fault = failure ?? checkProtocol(socket as TLSSocket, protocol);
        report(fault);
        socket?.once('error', (error) => {
          if (isTlsAlert(error)) report(new ConnectFault('connect', tlsProblemOf(error), error));
        });
        connected(fault, fault === null ? socket : null);
      }),
  };
}

type Dial = (onread: OnReadOpts | undefined) => TLSSocket;
type Secure = { readonly name: string; readonly host: string; readonly port: number; readonly protocol: AlpnProtocol };

function secureDial({ tls }: ServerAddress, { name, host, port, protocol }: Secure): Dial {
  const options: ConnectionOptions = {
    host,
    port,
    // An address is never sent as a name (RFC 6066, 3); the certificate is then held against the address.
    servername: tls?.servername ?? (isIP(name) === 0 ? name : ''),
    secureContext: createSecureContext({
      ca: tls?.ca ?? undefined,
      cert: tls?.cert ?? undefined,
      key: tls?.key ?? undefined,
      minVersion: 'TLSv1.2',
    }),
    rejectUnauthorized: tls?.insecure !== true,
    ALPNProtocols: [protocol],
  };
  let session: Buffer | undefined;
  return (onread) => {
    const socket = connectSecure({
      ...options,
      ...(session === undefined ? {} : { session }),
      ...(onread === undefined ? {} : { onread }),
    });
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
    return socket.setNoDelay(true);
  };
}

function open(socket: Socket, timeoutMs: number, connected: Connected): () => void {
  const readyEvent = socket instanceof TLSSocket ? 'secureConnect' : 'connect';
  const stop = (): void => {
    clearTimeout(timer);
    socket.off(readyEvent, onReady).off('error', onError).off('close', onClose);
  };
  const giveUp = (): void => {
    stop();
    // An error that comes late, of a connection that nobody wants any more, has nobody to tell.
    socket.on('error', () => undefined).destroy();
  };
  const fail = (fault: ConnectFault): void => {
    giveUp();
    connected(fault, null);
  };
  const onError = (error: NodeJS.ErrnoException): void => {
    fail(new ConnectFault(error.code === 'ETIMEDOUT' ? 'timeout' : 'connect', tlsProblemOf(error), error));
  };
  const onClose = (): void => fail(new ConnectFault('connect', 'the connection was closed before it was ready'));
  const onReady = (): void => {
    stop();
    socket.setKeepAlive(true, keepAliveMs);
    connected(null, socket);
  };
  const timer = setTimeout(() => fail(new ConnectFault('timeout', `no connection within ${timeoutMs} ms`)), timeoutMs);
  socket.once(readyEvent, onReady).once('error', onError).once('close', onClose);
  return giveUp;
}

/** A server that has never heard of ALPN speaks HTTP/1.1. */
function checkProtocol(socket: TLSSocket, protocol: AlpnProtocol): ConnectFault | null {
  if (protocol === 'http/1.1' || socket.alpnProtocol === 'h2') return null;
  socket.on('error', () => undefined).destroy();
  return new ConnectFault(
    'connect',
    'expected HTTP/2, which http2: true asks for; the server does not offer it in TLS',
  );
}

function reportChanges(report: ServerAddress['report']): (fault: ConnectFault | null) => void {
  let known: string | null = null;
  return (fault) => {
    const cause = fault?.cause as NodeJS.ErrnoException | undefined;
    // That nobody listens there, or answers in time, is not about TLS.
    const isAboutTls = fault !== null && fault.kind === 'connect' && cause?.syscall === undefined;
    const problem = isAboutTls ? fault.message : null;
    if (problem !== null && problem !== known) report?.(problem);
    if (fault === null || problem !== null) known = problem;
  };
}
