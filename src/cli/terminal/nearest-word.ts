/** Finds the word that somebody meant who mistyped it. */

/** Edits that a word may be away. More is another word. */
const EDITS_MAX = 2;

/** The nearest of `words`; null when none is within two edits, or the word is so short that anything would be. */
export function nearestWord(word: string, words: readonly string[]): string | null {
  const ranked = words
    .map((known) => ({ known, edits: known.startsWith(word) ? 1 : countEdits(word, known) }))
    .filter(({ known, edits }) => edits <= EDITS_MAX && edits < Math.min(word.length, known.length))
    .sort((a, b) => a.edits - b.edits);
  return ranked[0]?.known ?? null;
}

/** Letters to add, drop, change or swap with their neighbour. */
function countEdits(from: string, to: string): number {
  let [before, last] = [[] as number[], Array.from({ length: to.length + 1 }, (_, at) => at)];
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row];
    for (let at = 1; at <= to.length; at += 1) {
      const isSame = from[row - 1] === to[at - 1];
      const isSwapped = row > 1 && at > 1 && from[row - 1] === to[at - 2] && from[row - 2] === to[at - 1];
      const options = [
        (last[at] ?? 0) + 1,
        (next[at - 1] ?? 0) + 1,
        (last[at - 1] ?? 0) + (isSame ? 0 : 1),
        ...(isSwapped ? [(before[at - 2] ?? 0) + 1] : []),
      ];
      next.push(Math.min(...options));
    }
    [before, last] = [last, next];
  }
  return last[to.length] ?? 0;
}
