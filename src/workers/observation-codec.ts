// Assignments and observations as bytes: most of what a worker says, once or twice a request, so it is packed by hand.
import type { Ending, FallbackReason, Fault, FaultKind, RetryReason } from '../rollout/outcome.ts';
import type { Assignment, Observation } from '../rollout/observation.ts';
import type { Rollout, Version } from '../rollout/policy.ts';
import { ByteReader, ByteWriter } from './byte-records.ts';

/** Takes what was read, in the order in which it was written. */
export interface ObservationSink {
  /** Null: there is no such rollout any more. */
  rolloutOf(number: number): Rollout | null;
  /** Which split it was, so that one who was assigned by another than the one in force can be told. */
  assigned(assignment: Assignment, split: number): void;
  observed(observation: Observation): void;
}

/** All of them, in the order in which they are numbered; a word that is missing does not compile. */
const endings = wordsOf<Ending>({ complete: 1, cut: 1, 'client-left': 1, refused: 1, upgraded: 1 });
const faultKinds = wordsOf<FaultKind>({ connect: 1, reset: 1, timeout: 1, protocol: 1 });
const fallbackReasons = wordsOf<FallbackReason>({
  connect: 1,
  reset: 1,
  timeout: 1,
  protocol: 1,
  'no-server': 1,
  busy: 1,
});
const assignmentTag = 1;
const observationTag = 2;
const none = 0xffff;
const hasUserFlag = 1;
const hasRuleFlag = 2;
/** Of everything in a record that has a fixed length, generously. */
const fixedBytes = 64;

/** Collects records until somebody takes them. */
export class ObservationWriter {
  readonly #out = new ByteWriter();

  get byteLength(): number {
    return this.#out.byteLength;
  }

  /** `number`: of the rollout, as both ends know it; `split`: the serial number of the split that assigned. */
  assigned(number: number, split: number, { version, bucket, user }: Assignment): void {
    const out = this.#out;
    const given = user ?? '';
    out.reserve(fixedBytes + given.length);
    out.byte(assignmentTag);
    out.uint32(number);
    out.uint32(split);
    out.uint16(version.index);
    out.uint16(bucket ?? none);
    out.text(given);
  }

  observed(number: number, observation: Observation): void {
    const { decided, status, grpcStatus, ending, fallback, bucket, durationMs, user, rule, ip } = observation;
    const { faults, retries } = observation;
    const out = this.#out;
    const ruleBytes = rule === null ? '' : Buffer.from(rule, 'utf8').toString('latin1');
    const texts = (user?.length ?? 0) + ip.length + ruleBytes.length;
    const repeated = retries.length * fixedBytes + texts;
    out.reserve(faults.reduce((sum, { server }) => sum + fixedBytes + server.length, fixedBytes + repeated));
    out.byte(observationTag);
    out.uint32(number);
    out.uint16(decided!.index);
    out.uint16(status);
    out.uint16(grpcStatus ?? none);
    out.byte(endings.indexOf(ending));
    out.byte(fallback === null ? fallbackReasons.length : fallbackReasons.indexOf(fallback));
    out.uint16(bucket ?? none);
    out.double(durationMs);
    out.byte((user === null ? 0 : hasUserFlag) | (rule === null ? 0 : hasRuleFlag));
    out.text(user ?? '');
    out.text(ruleBytes);
    out.text(ip);
    out.uint16(faults.length);
    for (const { version, server, kind } of faults) {
      out.uint16(version.index);
      out.byte(faultKinds.indexOf(kind));
      out.text(server);
    }
    out.uint16(retries.length);
    for (const reason of retries) out.text(reason);
  }

  /** Everything since the last time. */
  take(): Uint8Array {
    return this.#out.take();
  }
}

/** Reads records; those of a rollout that is gone are passed over. */
export function readObservations(bytes: Uint8Array, sink: ObservationSink): void {
  const reader = new ByteReader(bytes);
  while (reader.hasMore) {
    if (reader.byte() === assignmentTag) readAssignment(reader, sink);
    else readObservation(reader, sink);
  }
}

function readAssignment(reader: ByteReader, sink: ObservationSink): void {
  const rollout = sink.rolloutOf(reader.uint32());
  const split = reader.uint32();
  const version = versionAt(rollout, reader.uint16());
  const bucket = orNull(reader.uint16());
  const user = reader.text();
  if (rollout !== null && version !== null) sink.assigned({ rollout, version, rule: null, bucket, user }, split);
}

function readObservation(reader: ByteReader, sink: ObservationSink): void {
  const rollout = sink.rolloutOf(reader.uint32());
  const decided = versionAt(rollout, reader.uint16());
  const status = reader.uint16();
  const grpcStatus = orNull(reader.uint16());
  const ending = endings[reader.byte()]!;
  const fallback = fallbackReasons[reader.byte()] ?? null;
  const bucket = orNull(reader.uint16());
  const durationMs = reader.double();
  const flags = reader.byte();
  const userBytes = reader.text();
  const ruleBytes = reader.text();
  const ip = reader.text();
  const faults = readFaults(reader, rollout);
  const retries = Array.from({ length: reader.uint16() }, () => reader.text() as RetryReason);
  if (rollout === null || decided === null) return;
  const user = (flags & hasUserFlag) === 0 ? null : userBytes;
  const rule = (flags & hasRuleFlag) === 0 ? null : Buffer.from(ruleBytes, 'latin1').toString('utf8');
  const ended = { status, grpcStatus, ending, durationMs, faults, retries, fallback };
  sink.observed({ rollout, decided, rule, bucket, user, ip, ...ended });
}

function readFaults(reader: ByteReader, rollout: Rollout | null): readonly Fault[] {
  const faults: Fault[] = [];
  for (let left = reader.uint16(); left > 0; left -= 1) {
    const version = versionAt(rollout, reader.uint16());
    const kind = faultKinds[reader.byte()]!;
    const server = reader.text();
    if (version !== null) faults.push({ version, server, kind });
  }
  return faults;
}

function versionAt(rollout: Rollout | null, index: number): Version | null {
  return rollout?.versions[index] ?? null;
}

function wordsOf<Word extends string>(words: Readonly<Record<Word, 1>>): readonly Word[] {
  return Object.keys(words) as Word[];
}

function orNull(value: number): number | null {
  return value === none ? null : value;
}
