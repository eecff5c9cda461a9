// The client's end of a tunnel, whichever protocol it speaks: what it asked for, and how it is told what became of it. Types only.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RenderedProblem } from '../problem.ts';

export interface TunnelEnd {
  /** Carries what both sides send once the server has agreed, and a refusal's body. */
  readonly stream: Duplex;
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
  /** What came right behind the request. */
  readonly head: Buffer;
  /** The `Upgrade` header's value for the server. */
  readonly upgrade: string;
  /** Raw headers that the server's handshake needs beside the client's. */
  readonly handshake: readonly string[];
  /** Whether a server's answer is one that agrees to this very handshake. */
  isAgreed(answer: IncomingMessage): boolean;
  /** Whether an answer that does not agree can be told from one that does, once it is passed on. */
  canDecline(status: number): boolean;
  /** The server agreed. `headers`: raw, hop-by-hop ones not among them. */
  accept(answer: IncomingMessage, headers: readonly string[]): void;
  /** The server answered something else: its head; the body follows on `stream`, then `endDeclined`. */
  decline(answer: IncomingMessage, headers: readonly string[]): void;
  endDeclined(): void;
  refuse(problem: RenderedProblem): void;
  /** Ends what was declined so that the client sees that it is not whole. */
  breakOff(): void;
  /** Both sides are done: ends once everything was taken, or after so long. */
  endSoon(idleMs: number): void;
  destroy(): void;
}
