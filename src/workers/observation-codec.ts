// Assignments and observations as bytes: most of what a worker says, once or twice a request, so it is packed by hand.
import type { Ending, FallbackReason, Fault, FaultKind, RetryReason } from '../rollout/outcome.ts';
import type { Assignment, Observation } from '../rollout/observation.ts';
import type { Rollout, Version } from '../rollout/policy.ts';

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
const firstBytes = 65_536;

/** Collects records until somebody takes them. */
export class ObservationWriter {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;

  get byteLength(): number {
    return this.#length;
  }

  /** `number`: of the rollout, as both ends know it; `split`: the serial number of the split that assigned. */
  assigned(number: number, split: number, { version, bucket, user }: Assignment): void {
    const given = user ?? '';
    this.#reserve(fixedBytes + given.length);
    this.#byte(assignmentTag);
    this.#uint32(number);
    this.#uint32(split);
    this.#uint16(version.index);
    this.#uint16(bucket ?? none);
    this.#text(given);
  }

  observed(number: number, observation: Observation): void {
    const { decided, status, grpcStatus, ending, fallback, bucket, durationMs, user, rule, ip } = observation;
    const { faults, retries } = observation;
    const ruleBytes = rule === null ? '' : Buffer.from(rule, 'utf8').toString('latin1');
    const texts = (user?.length ?? 0) + ip.length + ruleBytes.length;
    const repeated = retries.length * fixedBytes + texts;
    this.#reserve(faults.reduce((sum, { server }) => sum + fixedBytes + server.length, fixedBytes + repeated));
    this.#byte(observationTag);
    this.#uint32(number);
    this.#uint16(decided!.index);
    this.#uint16(status);
    this.#uint16(grpcStatus ?? none);
    this.#byte(endings.indexOf(ending));
    this.#byte(fallback === null ? fallbackReasons.length : fallbackReasons.indexOf(fallback));
    this.#uint16(bucket ?? none);
    this.#length = this.#bytes.writeDoubleLE(durationMs, this.#length);
    this.#byte((user === null ? 0 : hasUserFlag) | (rule === null ? 0 : hasRuleFlag));
    this.#text(user ?? '');
    this.#text(ruleBytes);
    this.#text(ip);
    this.#uint16(faults.length);
    for (const { version, server, kind } of faults) {
      this.#uint16(version.index);
      this.#byte(faultKinds.indexOf(kind));
      this.#text(server);
    }
    this.#uint16(retries.length);
    for (const reason of retries) this.#text(reason);
  }

  /** Everything since the last time. */
  take(): Uint8Array {
    const taken = Uint8Array.prototype.slice.call(this.#bytes, 0, this.#length);
    this.#length = 0;
    return taken;
  }

  #reserve(byteCount: number): void {
    if (this.#length + byteCount <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + byteCount));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  #byte(value: number): void {
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  #uint16(value: number): void {
    this.#length = this.#bytes.writeUInt16LE(value, this.#length);
  }

  #uint32(value: number): void {
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
  }

  /** One char a byte. */
  #text(bytes: string): void {
    this.#uint32(bytes.length);
    this.#length += this.#bytes.write(bytes, this.#length, 'latin1');
  }
}

/** Reads records; those of a rollout that is gone are passed over. */
export function readObservations(bytes: Uint8Array, sink: ObservationSink): void {
  const reader = new Reader(bytes);
  while (reader.hasMore) {
    if (reader.byte() === assignmentTag) readAssignment(reader, sink);
    else readObservation(reader, sink);
  }
}

function readAssignment(reader: Reader, sink: ObservationSink): void {
  const rollout = sink.rolloutOf(reader.uint32());
  const split = reader.uint32();
  const version = versionAt(rollout, reader.uint16());
  const bucket = orNull(reader.uint16());
  const user = reader.text();
  if (rollout !== null && version !== null) sink.assigned({ rollout, version, rule: null, bucket, user }, split);
}

function readObservation(reader: Reader, sink: ObservationSink): void {
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

function readFaults(reader: Reader, rollout: Rollout | null): readonly Fault[] {
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

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++]!;
  }

  uint16(): number {
    this.#at += 2;
    return this.#bytes.readUInt16LE(this.#at - 2);
  }

  uint32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  double(): number {
    this.#at += 8;
    return this.#bytes.readDoubleLE(this.#at - 8);
  }

  text(): string {
    const length = this.uint32();
    this.#at += length;
    return this.#bytes.toString('latin1', this.#at - length, this.#at);
  }
}
