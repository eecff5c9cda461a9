// How many columns of a terminal a text takes, and how it is cut and broken by them. What counts is what is seen: a Chinese
// character takes two columns (https://www.unicode.org/reports/tr11/), a combining mark none, a colour none.
import { stripVTControlCharacters } from 'node:util';

/** East Asian wide and fullwidth. */
const wide =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const unseen = /^[\p{Mark}\p{Format}\p{Control}]*$/u;
const plain = /^[\x20-\x7e]*$/;
const controls = /[\p{Control}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu;
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The columns that a line of text takes. */
export function widthOf(text: string): number {
  if (plain.test(text)) return text.length;
  return segmentsOf(stripVTControlCharacters(text)).reduce((sum, segment) => sum + segmentWidth(segment), 0);
}

/** As much of an uncoloured text as fits, ending in `…` where something is left out. */
export function cutToWidth(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let [cut, left] = ['', width - 1];
  for (const segment of segmentsOf(text)) {
    left -= segmentWidth(segment);
    if (left < 0) break;
    cut += segment;
  }
  return width < 1 ? '' : `${cut}…`;
}

/** An uncoloured text as lines that fit: broken at blanks, and between characters where a word is wider than a line. */
export function wrapToWidth(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => breakWord(each, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

/** The text on one line and without what steers a terminal, wherever it came from. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text).replace(controls, ' ');
}

/** Pieces of a word, each of which fits; Chinese has no blanks to break at. */
function breakWord(word: string, width: number): string[] {
  const pieces = [''];
  for (const segment of widthOf(word) <= width ? [word] : segmentsOf(word)) {
    const longer = pieces.at(-1)! + segment;
    if (widthOf(longer) <= width || pieces.at(-1) === '') pieces[pieces.length - 1] = longer;
    else pieces.push(segment);
  }
  return pieces;
}

function segmentsOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

function segmentWidth(segment: string): number {
  if (unseen.test(segment)) return 0;
  return wide.test(segment) ? 2 : 1;
}
