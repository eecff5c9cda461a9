// What a rollout has gathered, as JSON for the store: losing it costs time, never safety.
import type { BusinessSnapshot } from '../rollout/business-ledger.ts';
import type { LedgerSnapshot } from '../rollout/ledger.ts';
import type { KeptStage } from './figuring.ts';

/** `atMs`: when the gateway was last seen alive. It belongs to `release`; of another one it says nothing. */
export type Progress = Gathered & {
  readonly atMs: number;
  readonly release: string;
  /** When the stay began in which it was gathered: in another one it proves nothing for going forward. */
  readonly stayedSinceMs: number;
};

export type Gathered = {
  readonly ledger: LedgerSnapshot;
  /** Absent: the evidence of the business never began anew. */
  readonly business?: BusinessSnapshot;
  readonly stage: KeptStage;
  /** Users who failed, the oldest failure first. */
  readonly riskSet: readonly string[];
};
