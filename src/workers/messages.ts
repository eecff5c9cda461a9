// What the control process and its workers say to each other. Types only; all of it fits the structured clone algorithm.
import type { PolicyParcel } from '../config/policy-parcel.ts';
import type { Split } from '../rollout/split.ts';
import type { TallyDelta } from '../telemetry/tally-delta.ts';
import type { Saying } from './plain-verbs.ts';

/** A connection comes as a handle beside its message. */
export type ToWorker =
  | { readonly kind: 'users'; readonly digest: string; readonly lines: Uint8Array }
  | { readonly kind: 'policy'; readonly order: PolicyOrder }
  | { readonly kind: 'split'; readonly news: SplitNews }
  | { readonly kind: 'connection' }
  /** Is answered at once. */
  | { readonly kind: 'ping' }
  /** Is answered once everything that was not reported yet is. */
  | { readonly kind: 'hand-over' }
  | { readonly kind: 'drain'; readonly drainMs: number };

export type FromWorker =
  /** The policy with this serial number is in force. */
  | { readonly kind: 'serves'; readonly serial: number }
  /** `takenCount`: of all that were handed over so far. */
  | { readonly kind: 'connections'; readonly takenCount: number; readonly openCount: number }
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'pong' }
  | { readonly kind: 'handed-over' };

/** A policy to be put into force, its lists of users having been sent before. */
export type PolicyOrder = {
  readonly serial: number;
  readonly parcel: PolicyParcel;
  readonly lists: readonly { readonly name: string; readonly digest: string }[];
  /** Of each rollout in turn, how it is called in reports. */
  readonly numbers: readonly number[];
  readonly splits: readonly SplitNews[];
  /** So that a client may resume its TLS session with any worker. */
  readonly ticketSecret: Uint8Array;
};

/** The split in force of a rollout with these versions; each has a higher serial number than the one before. */
export type SplitNews = {
  readonly rollout: string;
  readonly versions: string;
  readonly serial: number;
  readonly split: Split;
};

/** Everything since the last report. */
export type Report = {
  readonly observations: Uint8Array;
  readonly tallies: readonly TallyDelta[];
  readonly said: readonly Saying[];
  /** Whole lines. */
  readonly log: string;
  readonly usage: Usage | null;
};

/** What a worker has used since it began, and uses now. */
export type Usage = { readonly cpuSeconds: number; readonly residentBytes: number };

/** What a worker is told when it is started. */
export type WorkerSettings = {
  /** From 1. */
  readonly index: number;
  readonly workerCount: number;
  readonly logLevel: string;
};
