// The decision: which rollout and version a request gets, and why. Pure; the order is SPEC 3.
import type { ByteString, Rollout, Version } from './policy.ts';

export type Reason = 'rolled-back' | 'rule' | 'anonymous' | 'split';

export type Decision = {
  readonly rollout: Rollout;
  readonly version: Version;
  readonly reason: Reason;
  /** The rule that held; null for any other reason. */
  readonly rule: string | null;
  /** 0–9999; null where no bucket was asked for. */
  readonly bucket: number | null;
  readonly user: ByteString | null;
  /** The gateway must issue `user` as the cookie `graygate_uid`. */
  readonly issueCookie: boolean;
};
