// What the gateway needs of the rooms around it, and the only ways in which it says anything upwards: plain verbs, because they
// may have to cross from one process to another.
import type { Decision } from '../rollout/decide.ts';
import type { BusinessEvent, Exposure } from '../rollout/experiment.ts';
import type { MirrorDifference, MirrorRecord } from '../rollout/mirror-record.ts';
import type { Outcome } from '../rollout/outcome.ts';
import type { Policy, Rollout } from '../rollout/policy.ts';
import type { ServerReport } from '../rollout/server-report.ts';
import type { SplitCell } from '../rollout/split.ts';
import type { TlsFailure } from '../rollout/tls-failure.ts';
import type { UnreadEvent } from './events/event-tap.ts';
import type { Telemetry } from './live-policy.ts';
import type { SourceSetting } from './servers/server-source.ts';

export type GatewayParts = {
  readonly policy: Policy;
  readonly telemetry: Telemetry;
  cellOf(rollout: Rollout): SplitCell;
  /** Every decision, at the moment it is made. */
  decided(decision: Decision): void;
  /** Every outcome, once a request, those without a rollout included. */
  finished(outcome: Outcome): void;
  /** The split gave a user a version; at least once a day of the experiment's time zone. Before what the user does with it. */
  exposed(exposure: Exposure): void;
  /** A user did what counts as an event. */
  happened(event: BusinessEvent): void;
  /** A request was an event, but what it is worth cannot be read, so it is none. */
  unread(event: UnreadEvent): void;
  /** What became of a copy of a request. */
  mirrored(record: MirrorRecord): void;
  /** The answer to a copy was not what the user got. */
  differed(difference: MirrorDifference): void;
  /** A connection sent what is not a request, and was answered with this status. */
  malformed(status: number): void;
  /** A server takes requests now and did not before, or the other way round. */
  serverChanged(report: ServerReport): void;
  /** TLS with a server that is there came to nothing; once for as long as that stays so. */
  tlsFailed(failure: TlsFailure): void;
  /** How the names of servers become addresses; absent: by DNS and the platform. */
  readonly names?: Pick<SourceSetting, 'resolver' | 'resolveTimes'>;
  /** What the keys of TLS sessions are made from, so that processes behind one port resume each other's; absent: chance. */
  readonly ticketSecret?: Uint8Array;
  /** Something that nobody foresaw, in graygate itself; the request got 500. */
  failed?(error: unknown): void;
};
