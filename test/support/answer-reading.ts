// Reads the bytes of an answer with the gateway's own reader, in chosen pieces, and with the platform's parser, which is the oracle.
import { request } from 'node:http';
import { Duplex } from 'node:stream';
import { AnswerReader } from '../../src/gateway/upstream/http1-answer-reader.ts';

export type ReadAnswer = {
  readonly interims: { readonly status: number; readonly rawHeaders: readonly string[] }[];
  status: number;
  reason: string;
  rawHeaders: readonly string[];
  body: string;
  trailers: readonly string[];
  /** The body came to its end, by its framing or, where nothing else ends it, by that of the connection. */
  isWhole: boolean;
};

export type OwnReading = ReadAnswer & {
  /** Whether the connection can be used again. */
  canBeUsed: boolean;
  /** What was not HTTP; null where nothing was wrong. */
  fault: string | null;
};

const nothing = { status: 0, reason: '', rawHeaders: [], body: '', trailers: [], isWhole: false };

/** Reads the bytes, cut at these places, and then the end of the connection. */
export function readInPieces(bytes: Buffer, cuts: readonly number[] = [], method = 'GET'): OwnReading {
  const reading: OwnReading = { ...nothing, interims: [], canBeUsed: false, fault: null };
  const reader = new AnswerReader({
    interimRead: ({ status, rawHeaders }) => void reading.interims.push({ status, rawHeaders }),
    headRead: ({ status, reason, rawHeaders }) => void Object.assign(reading, { status, reason, rawHeaders }),
    dataRead: (chunk) => void (reading.body += chunk.toString('latin1')),
    answerRead: (rawTrailers, keptMs) =>
      void Object.assign(reading, { trailers: rawTrailers ?? [], isWhole: true, canBeUsed: keptMs !== null }),
  });
  reader.expect(method);
  const ends = [...cuts, bytes.length].toSorted((a, b) => a - b);
  let from = 0;
  try {
    for (const end of ends) {
      do {
        const byteCount = bytes.copy(reader.slab, 0, from, end);
        reader.read(byteCount);
        from += byteCount;
      } while (from < end);
    }
    reading.isWhole ||= reader.endsWithConnection;
  } catch (error) {
    reading.fault = (error as Error).message;
  }
  return reading;
}

/** What the platform's client makes of the bytes and the end of the connection; null where it takes them for no answer. */
export function readByPlatform(bytes: Buffer, method = 'GET'): Promise<ReadAnswer | null> {
  let isAnswered = false;
  const socket = new Duplex({
    read: () => undefined,
    write(_chunk, _encoding, callback) {
      callback();
      if (isAnswered) return;
      isAnswered = true;
      socket.push(bytes);
      socket.push(null);
    },
  });
  const { promise, resolve } = Promise.withResolvers<ReadAnswer | null>();
  const reading: ReadAnswer = { ...nothing, interims: [] };
  const asked = request({ method, createConnection: () => socket });
  asked.on('information', ({ statusCode, rawHeaders }) =>
    reading.interims.push({ status: statusCode, rawHeaders: [...rawHeaders] }),
  );
  asked.on('error', () => resolve(null));
  asked.on('response', (answer) => {
    const { statusCode, statusMessage, rawHeaders } = answer;
    Object.assign(reading, { status: statusCode, reason: statusMessage, rawHeaders });
    answer.on('data', (chunk: Buffer) => (reading.body += chunk.toString('latin1')));
    answer.on('error', () => resolve(reading));
    answer.on('end', () => resolve(Object.assign(reading, { trailers: answer.rawTrailers, isWhole: answer.complete })));
  });
  asked.end();
  return promise;
}
