// The reader of answers against the platform's parser, with the bytes in whatever pieces, and everything that it must refuse.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { AnswerReader } from '../../../src/gateway/upstream/http1-answer-reader.ts';
import { maxHeadByteCount } from '../../../src/gateway/upstream/http1-fields.ts';
import { type OwnReading, type ReadAnswer, readByPlatform, readInPieces } from '../../support/answer-reading.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const tokenChars = "!#$%&'*+-.^_`|~09azAZ";
const valueChars = ' \t!"az09:;,()<>@\x7e\x80\xe4\xff';
const textOf = (chars: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...Array.from(chars)), { minLength, maxLength }).map((all) => all.join(''));
const bodyText = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const field = fc
  .tuple(textOf(tokenChars, 1, 12), textOf(valueChars, 0, 20))
  .filter(([name]) => !framingNames.has(name));
const framingNames = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade', 'trailer']);
const fields = fc.array(field, { maxLength: 5 });
const lines = (all: readonly (readonly [string, string])[]): string =>
  all.map(([name, value]) => `${name}:${value}\r\n`).join('');

/** What the platform says of an answer, too. */
const asPlatform = ({ interims, status, reason, rawHeaders, body, trailers, isWhole }: OwnReading): ReadAnswer => {
  return { interims, status, reason, rawHeaders, body, trailers, isWhole };
};

const chunk = fc.record({
  data: bodyText.filter((text) => text !== ''),
  extension: fc.constantFrom('', ';a', ';a=b', ';a="b c"'),
  isUpper: fc.boolean(),
});
const chunkedBody = fc.tuple(fc.array(chunk, { maxLength: 5 }), fields).map(([chunks, trailers]) => {
  const pieces = chunks.map(({ data, extension, isUpper }) => {
    const size = data.length.toString(16);
    return `${isUpper ? size.toUpperCase() : size}${extension}\r\n${data}\r\n`;
  });
  return { framing: 'Transfer-Encoding: chunked\r\n', bytes: `${pieces.join('')}0\r\n${lines(trailers)}\r\n` };
});
const sizedBody = bodyText.map((bytes) => ({ framing: `Content-Length: ${bytes.length}\r\n`, bytes }));
const endlessBody = bodyText.map((bytes) => ({ framing: '', bytes }));

const answer = fc
  .record({
    interims: fc.array(
      fc
        .tuple(fc.constantFrom(102, 103, 199), fields)
        .map(([status, all]) => `HTTP/1.1 ${status} I\r\n${lines(all)}\r\n`),
      { maxLength: 2 },
    ),
    status: fc.constantFrom(200, 201, 206, 299, 400, 404, 500, 599),
    reason: textOf(valueChars.replace('\t', ''), 0, 10),
    before: fields,
    body: fc.oneof(chunkedBody, sizedBody, endlessBody),
    after: fields,
  })
  .map(({ interims, status, reason, before, body, after }) => {
    const head = `HTTP/1.1 ${status} ${reason}\r\n${lines(before)}${body.framing}${lines(after)}\r\n`;
    return { head, bytes: latin1(interims.join('') + head + body.bytes) };
  });

suite('answers as the platform reads them', () => {
  test('any answer, whole or cut short, in any pieces, is read as the platform reads it', async () => {
    const property = fc.asyncProperty(
      answer,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.nat(2_000), { maxLength: 6 }),
      async ({ head, bytes }, share, cuts) => {
        const headEnd = bytes.indexOf(head, 'latin1') + head.length;
        const given = bytes.subarray(0, headEnd + Math.ceil((bytes.length - headEnd) * Math.min(1, share * 2)));
        const inside = cuts.filter((cut) => cut < given.length);
        const own = readInPieces(given, inside);
        assert.equal(own.fault, null);
        assert.deepEqual(asPlatform(own), await readByPlatform(given));
      },
    );
    await fc.assert(property, { seed: 11, numRuns: 1_500 });
  });

  const samples = {
    'interim answers and chunks with trailers':
      'HTTP/1.1 103 Early\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: 1\r\nY: 2\r\n\r\n',
    'a length': 'HTTP/1.1 200 OK\r\nA:  b c \t\r\nContent-Length: 5\r\n\r\nabcde',
    'the end of the connection': 'HTTP/1.0 200 OK\r\n\r\nabcde',
    'an empty chunked body': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'no reason and no body': 'HTTP/1.1 204 \r\n\r\n',
  };
  for (const [what, text] of Object.entries(samples)) {
    test(`${what}: cut at every place, at every two places and into single bytes, it stays one and the same`, async () => {
      const bytes = latin1(text);
      const whole = readInPieces(bytes);
      assert.equal(whole.fault, null);
      assert.deepEqual(asPlatform(whole), await readByPlatform(bytes));
      for (let first = 0; first <= bytes.length; first += 1) {
        for (let second = first; second <= bytes.length; second += 7) {
          assert.deepEqual(readInPieces(bytes, [first, second]), whole, `cut at ${first} and ${second}`);
        }
      }
      assert.deepEqual(
        readInPieces(
          bytes,
          Array.from(bytes, (_, index) => index),
        ),
        whole,
      );
    });
  }
});

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
const refused: Readonly<Record<string, string>> = {
  'another protocol': 'SSH-2.0-OpenSSH_9.9\r\n',
  'HTTP/0.9': '<html>',
  'HTTP/2 in the status line': 'HTTP/2 200 OK\r\n\r\n',
  'an HTTP version that does not exist': 'HTTP/1.2 200 OK\r\n\r\n',
  'an empty line before the head': `\r\n${ok}\r\n`,
  'a status of two digits': 'HTTP/1.1 20 OK\r\n\r\n',
  'a status of four digits': 'HTTP/1.1 2000 OK\r\n\r\n',
  'a status below 100': 'HTTP/1.1 099 OK\r\n\r\n',
  'two spaces before the status': 'HTTP/1.1  200 OK\r\n\r\n',
  'a control character in the reason': 'HTTP/1.1 200 O\x01K\r\n\r\n',
  'a bare LF after the status line': 'HTTP/1.1 200 OK\nA: b\r\n\r\n',
  'a bare LF after a field': `${ok}A: b\nC: d\r\n\r\n`,
  'a bare CR in a field': `${ok}A: b\rC: d\r\n\r\n`,
  'a field that goes on in the next line': `${ok}A: b\r\n c\r\n\r\n`,
  'a first field that begins with a space': `${ok} A: b\r\n\r\n`,
  'a space before the colon': `${ok}A : b\r\n\r\n`,
  'a field without a colon': `${ok}A\r\n\r\n`,
  'a field without a name': `${ok}: b\r\n\r\n`,
  'a byte above ASCII in a name': `${ok}\xe4: b\r\n\r\n`,
  'a NUL in a value': `${ok}A: \0\r\n\r\n`,
  'a DEL in a value': `${ok}A: \x7f\r\n\r\n`,
  'two lengths': `${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
  'the same length twice': `${ok}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`,
  'a list of lengths': `${ok}Content-Length: 1, 1\r\n\r\n`,
  'a length with a sign': `${ok}Content-Length: +1\r\n\r\n`,
  'a negative length': `${ok}Content-Length: -1\r\n\r\n`,
  'a length in hexadecimal': `${ok}Content-Length: 0x1\r\n\r\n`,
  'an empty length': `${ok}Content-Length:\r\n\r\n`,
  'a length beyond 2^53': `${ok}Content-Length: 9007199254740993\r\n\r\n`,
  'a length and chunks': `${ok}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
  'a coding before the chunks': `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`,
  'a coding after the chunks': `${ok}Transfer-Encoding: chunked, gzip\r\n\r\n`,
  'chunks twice': `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
  'a coding that is none': `${ok}Transfer-Encoding: xchunked\r\n\r\n`,
  'chunks in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  'a switch of protocols': 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
  'a head without an end': `${ok}A: ${'a'.repeat(maxHeadByteCount)}`,
  'a head beyond the limit': `${ok}A: ${'a'.repeat(maxHeadByteCount)}\r\n\r\n`,
  'interim answers without an end': 'HTTP/1.1 102 P\r\n\r\n'.repeat(1_001),
  'a chunk size that is none': `${chunked}x\r\n`,
  'an empty chunk size': `${chunked}\r\n`,
  'a negative chunk size': `${chunked}-1\r\n`,
  'a chunk size with 0x': `${chunked}0x1\r\na\r\n`,
  'a chunk size of 14 digits': `${chunked}10000000000000\r\n`,
  'a bare LF after a chunk size': `${chunked}1\na\r\n`,
  'a CR without LF after a chunk size': `${chunked}1\ra\r\n`,
  'a chunk longer than its size': `${chunked}1\r\nab\r\n`,
  'a chunk that ends with LF': `${chunked}1\r\na\n`,
  'a control character in a chunk extension': `${chunked}1;\x01\r\na\r\n`,
  'a bare LF in a chunk extension': `${chunked}1;a\n\r\na\r\n`,
  'chunk extensions without an end': `${chunked}${`1;${'e'.repeat(1_000)}\r\na\r\n`.repeat(17)}`,
  'a trailer that is no field': `${chunked}0\r\nA\r\n\r\n`,
  'a trailer that goes on in the next line': `${chunked}0\r\nA: b\r\n c\r\n\r\n`,
  'trailers without an end': `${chunked}0\r\nA: ${'a'.repeat(maxHeadByteCount)}`,
};

suite('answers that are refused', () => {
  for (const [what, text] of Object.entries(refused)) {
    test(`${what}, in one piece and in many`, () => {
      const bytes = latin1(text);
      const whole = bytes.length <= 65_536 ? readInPieces(bytes) : null;
      const halves = readInPieces(bytes, [bytes.length >> 1]);
      const pieces = readInPieces(
        bytes,
        bytes.length < 1_000 ? Array.from(bytes, (_, index) => index) : Array.from({ length: 99 }, (_, i) => i * 11),
      );
      for (const reading of [whole, halves, pieces]) {
        if (reading === null) continue;
        assert.notEqual(reading.fault, null);
        assert.deepEqual([reading.isWhole, reading.canBeUsed], [false, false]);
      }
    });
  }

  test('the data before a fault is read first', () => {
    assert.equal(readInPieces(latin1(`${chunked}4\r\nhalf\r\nx\r\n`)).body, 'half');
  });
});

suite('whether the connection can be used again', () => {
  const keeps: Readonly<Record<string, boolean>> = {
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n': true,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n': true,
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n': true,
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n': true,
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n': false,
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n': false,
    'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n': false,
    'HTTP/1.1 200 OK\r\n\r\n': false,
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nx': false,
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n': false,
    'HTTP/1.1 204 No Content\r\n\r\nbody': false,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n0\r\n\r\n': false,
  };
  for (const [text, canBeUsed] of Object.entries(keeps)) {
    test(`${JSON.stringify(text)}: ${canBeUsed ? 'it can' : 'it cannot'}`, () => {
      const reading = readInPieces(latin1(text));
      assert.deepEqual([reading.canBeUsed, reading.fault], [canBeUsed, null]);
    });
  }

  test('an answer to HEAD has no body, whatever its head says', () => {
    for (const framing of ['Content-Length: 9', 'Transfer-Encoding: chunked', 'X: y']) {
      const reading = readInPieces(latin1(`${ok}${framing}\r\n\r\n`), [], 'HEAD');
      assert.deepEqual([reading.isWhole, reading.canBeUsed, reading.body], [true, true, ''], framing);
    }
  });
});

suite('an idle connection', () => {
  for (const body of [
    'Content-Length: 2\r\n\r\nab',
    'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'Content-Length: 0\r\n\r\n',
  ]) {
    test(`holds nothing of the head of an answer that has ended: ${JSON.stringify(body)}`, () => {
      const seen: boolean[] = [];
      const reader: AnswerReader = new AnswerReader({
        interimRead: () => undefined,
        headRead: () => void seen.push(reader.hasHead),
        dataRead: () => undefined,
        answerRead: () => void seen.push(reader.hasHead),
      });
      reader.expect('GET');
      reader.read(reader.slab.write(`HTTP/1.1 200 OK\r\n${body}`, 'latin1'));
      assert.deepEqual(seen, [true, false]);
    });
  }
});
