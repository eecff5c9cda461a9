// One connection to a server: carries one request at a time and waits for the next. Whatever happens to it, the attempt it carries
// hears of it once, and a connection on which anything is in doubt is not used again.
import type { Socket } from 'node:net';
import type { FaultKind } from '../../rollout/outcome.ts';
import type { VersionTimeouts } from '../../rollout/policy.ts';
import type { ConnectFault, Connector } from './connector.ts';
import { type FailedWriteOwner, FailedWrites } from './failed-writes.ts';
import { AnswerReader, type AnswerReaderOwner } from './http1-answer-reader.ts';
import type { Carrier, Http1Attempt } from './http1-attempt.ts';
import { BodyWriter, type BodyWriterOwner } from './http1-body-writer.ts';
import { faultKindOfSocket } from './http1-faults.ts';
import type { Head } from './http1-head.ts';
import { Patience } from './http1-patience.ts';
import type { Ticking, Ticks } from './ticks.ts';

/** Who keeps the connections of a server. */
export interface ConnectionOwner {
  readonly ticks: Ticks;
  readonly timeouts: VersionTimeouts;
  connectionIdle(connection: Http1Connection): void;
  connectionGone(connection: Http1Connection): void;
}

export class Http1Connection implements Carrier, Ticking, AnswerReaderOwner, BodyWriterOwner, FailedWriteOwner {
  /** Its reader takes nothing for now. */
  isHeldBack = false;
  readonly #owner: ConnectionOwner;
  readonly #patience: Patience;
  readonly #reader = new AnswerReader(this);
  #attempt: Http1Attempt | null;
  #writer: BodyWriter | null = null;
  /** Null until it is connected. */
  #socket: Socket | null = null;
  #failedWrites: FailedWrites | null = null;
  readonly #stopConnecting: () => void;
  #isClosed = false;

  /** Connects, and sends the attempt as soon as it can. */
  constructor(owner: ConnectionOwner, connector: Connector, attempt: Http1Attempt) {
    this.#owner = owner;
    this.#patience = new Patience(owner.ticks, owner.timeouts);
    this.#attempt = attempt;
    attempt.board(this);
    this.#stopConnecting = connector.open(owner.timeouts.connectMs, (fault, socket) => this.#connected(fault, socket), {
      buffer: () => this.#reader.slab,
      callback: (byteCount) => this.#read(byteCount),
    });
  }

  /** Sends a request; only where the connection is idle. */
  take(attempt: Http1Attempt): void {
    const { body, method } = attempt.request;
    this.#attempt = attempt;
    attempt.board(this);
    this.#reader.expect(method);
    attempt.handler.onSent();
    // Whoever was told may have given up.
    if (this.#attempt !== attempt) return;
    if (body === null) {
      this.#patience.forHead();
      this.#socket!.write(attempt.head.text, 'latin1');
    } else {
      this.#patience.forEver();
      this.#writer = new BodyWriter(this.#socket!, this, attempt.head.byteCount);
      this.#writer.begin(attempt.head.text, body);
    }
  }

  resumeReading(): void {
    if (!this.isHeldBack) return;
    this.isHeldBack = false;
    this.#patience.forMore(false);
    this.#socket!.resume();
    this.#failedWrites!.hearOut();
  }

  abandon(): void {
    this.#detach();
    this.close();
  }

  tick(): void {
    if (!this.#patience.isOver) return;
    if (this.#attempt === null) this.close();
    else this.#fail('timeout', new Error('the server took too long'));
  }

  /** Cuts it; an attempt that it carries fails. */
  destroy(): void {
    this.#fail('reset', new Error('the connection was cut'));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#owner.ticks.unwatch(this);
    this.#owner.connectionGone(this);
    if (this.#socket === null) this.#stopConnecting();
    else this.#socket.destroy();
  }

  writeFailed(): boolean {
    if (this.#writer?.isOut !== true) return false;
    this.#writer.stop();
    return true;
  }

  bodyPassed(isServersTurn: boolean): void {
    if (this.#reader.hasHead) this.#patience.forMore(this.isHeldBack);
    else if (isServersTurn) this.#patience.forHead();
    else this.#patience.forEver();
  }

  bodyFailed(error: Error): void {
    process.nextTick(() => this.#fail('protocol', error));
  }

  interimRead({ status, rawHeaders }: Head): void {
    if (this.#patience.isOn) this.#patience.forHead();
    this.#attempt!.handler.onInterim(status, rawHeaders);
  }

  headRead({ status, reason, rawHeaders }: Head): void {
    this.#patience.forMore(false);
    this.#attempt!.handler.onHead(status, reason, rawHeaders);
  }

  dataRead(chunk: Buffer, isLast: boolean): void {
    const attempt = this.#attempt!;
    const takesMore = attempt.handler.onData(chunk, isLast);
    if (this.#attempt !== attempt) return;
    // TLS passes on all that it has decrypted, also to one who is full; its reads stand still from the first piece on.
    this.isHeldBack ||= !takesMore && !isLast;
    this.#patience.forMore(this.isHeldBack);
  }

  answerRead(rawTrailers: readonly string[] | null, keptMs: number | null): void {
    const canBeUsed = this.#socket!.writable && (this.#writer === null || this.#writer.isDone);
    if (this.isHeldBack) this.#socket!.resume();
    const attempt = this.#detach();
    if (canBeUsed && keptMs !== null && keptMs > 0) {
      this.#patience.forRequest(keptMs);
      this.#owner.connectionIdle(this);
    } else this.close();
    attempt!.handler.onComplete(rawTrailers);
  }

  #connected(fault: ConnectFault | null, socket: Socket | null): void {
    if (socket === null) return this.#fail(fault!.kind, fault!);
    this.#socket = socket;
    this.#failedWrites = new FailedWrites(socket, this);
    socket.on('drain', () => this.#drained());
    socket.on('end', () => this.#ended());
    socket.on('error', (error: Error) => this.#fail(faultKindOfSocket(error), error));
    socket.on('close', () => this.#fail('reset', new Error('the connection is gone')));
    this.#owner.ticks.watch(this);
    this.take(this.#attempt!);
  }

  /** Returns whether to read on. */
  #read(byteCount: number): boolean {
    try {
      // What nobody asked for belongs to nobody that could be told.
      if (this.#attempt === null) this.close();
      else this.#reader.read(byteCount);
    } catch (error) {
      this.#fail('protocol', error as Error);
    }
    return !this.isHeldBack;
  }

  #drained(): void {
    if (this.#writer === null || this.#writer.isDone) return;
    this.bodyPassed(false);
    this.#writer.takeMore();
  }

  #ended(): void {
    if (this.#attempt !== null && this.#reader.endsWithConnection) this.answerRead(null, null);
    else this.#fail('reset', new Error('the server closed the connection'));
  }

  #fail(kind: FaultKind, error: Error): void {
    const attempt = this.#detach();
    this.close();
    attempt?.fail(kind, error);
  }

  /** The attempt is over, as far as the connection goes. */
  #detach(): Http1Attempt | null {
    const attempt = this.#attempt;
    const writer = this.#writer;
    this.#attempt = null;
    this.#writer = null;
    this.isHeldBack = false;
    this.#reader.cease();
    writer?.stop();
    return attempt;
  }
}
