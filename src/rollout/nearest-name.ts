// "Did you mean": the closest of some known names. Only for messages; nothing is ever corrected silently.

/**
 * The known name closest to `written` by optimal string alignment (Damerau-Levenshtein without repeated edits of one place),
 * upper and lower case counting as equal; null when none is close enough to be a slip of the hand.
 */
export function nearestName(written: string, known: readonly string[]): string | null {
  const limit = Math.max(1, Math.min(3, Math.floor(written.length / 3)));
  let best: string | null = null;
  let bestDistance = limit + 1;
  for (const name of known) {
    if (Math.abs(name.length - written.length) > limit) continue;
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** `did you mean "split"?`, or the list of what is known, or null when nothing is. */
export function suggestName(written: string, known: readonly string[], listed: string): string | null {
  const near = nearestName(written, known);
  if (near !== null) return `did you mean "${near}"?`;
  return known.length === 0 ? null : `${listed}: ${known.join(', ')}`;
}

/** Insertions, deletions, substitutions and swaps of neighbours that lead from one text to the other. Cost: the product of the lengths. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const differs = from[row - 1] === to[column - 1] ? 0 : 1;
      let least = Math.min(current[column - 1]! + 1, last[column]! + 1, last[column - 1]! + differs);
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwap) least = Math.min(least, beforeLast[column - 2]! + 1);
      current.push(least);
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length]!;
}
