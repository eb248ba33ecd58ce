/** What a buyer's words ask for: the words that tell items apart, in the forms in which titles write them. */

export interface SearchWord {
  /** Lower case, as it was written. */
  readonly text: string;
  /** Other words for the same. */
  readonly also: readonly string[];
  /** It may be the beginning of a word: whoever asks was still typing. */
  readonly is_begun: boolean;
}

/** More words tell nothing more, and each one costs the thread that everybody shares. */
const SEARCH_WORDS_MAX = 6;
/** Two letters begin too much. */
const BEGUN_MIN_CHARS = 3;
/** Scripts that put no spaces between words: what is asked for is mostly the beginning of a longer run. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

/** Words that stand in questions and in no title that they would help to find. */
const IDLE_WORDS = new Set(
  `a an and any are can color colour could do does for from get give got has have how i in is it item items like looking
  me my need of on one or please product products sell show size sized some something that the there these this those to want we what which with would you your`
    .split(/\s+/u)
    .filter((word) => word !== ''),
);

const SIZES: readonly (readonly string[])[] = [
  ['xs', 'x small', 'extra small'],
  ['s', 'small'],
  ['m', 'medium'],
  ['l', 'large'],
  ['xl', 'x large', 'extra large'],
  ['xxl', '2xl', 'xx large'],
];

const SAME = new Map(
  SIZES.flatMap((names) => names.map((name) => [name, names.filter((other) => other !== name)] as const)),
);

/** At most `SEARCH_WORDS_MAX` distinct words, those first that were said first; all of them where only idle ones were said. */
export function readSearchWords(query: string): readonly SearchWord[] {
  const text = query
    .toLowerCase()
    // "women's" is not a women's S.
    .replaceAll(/['’]s\b/gu, '')
    .replaceAll(/\b(?:extra|x)[ -](small|large)\b/gu, (_, size) => `x${size[0]}`);
  const said = [...new Set(text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [])];
  const telling = said.filter((word) => !IDLE_WORDS.has(word));
  const words = (telling.length === 0 ? said : telling).slice(0, SEARCH_WORDS_MAX);
  const last = said.at(-1);
  return words.map((text) => ({
    text,
    also: SAME.get(text) ?? [],
    is_begun: UNSPACED.test(text) || (text === last && text.length >= BEGUN_MIN_CHARS),
  }));
}

/** Forms of a word that is in no title, in which a slip of the pen is looked for: itself, and without an ending. */
export function listBareForms(word: string): readonly string[] {
  const endings = ['s', 'es', 'ing', 'ed'].filter((ending) => word.endsWith(ending));
  return [word, ...endings.map((ending) => word.slice(0, -ending.length))].filter(
    (form) => form.length >= SLIP_MIN_CHARS,
  );
}

/** Shorter words are too like each other. */
const SLIP_MIN_CHARS = 4;
/** From this length on two slips are forgiven. */
const TWO_SLIPS_MIN_CHARS = 8;

/** The terms that are nearest to one of the forms, at most `most`, if they are near enough to be meant. */
export function findNearestTerms(
  forms: readonly string[],
  terms: Iterable<string>,
  most: number,
): readonly string[] {
  const near: { readonly term: string; readonly slips: number }[] = [];
  for (const term of terms) {
    const slips = Math.min(...forms.map((form) => countSlips(form, term)));
    if (Number.isFinite(slips)) near.push({ term, slips });
  }
  return near
    .sort((a, b) => a.slips - b.slips || a.term.localeCompare(b.term))
    .slice(0, most)
    .map(({ term }) => term);
}

/** Letters that were left out, added, changed, or swapped with their neighbour; infinite where more than a slip lies between. */
function countSlips(word: string, term: string): number {
  const most = word.length >= TWO_SLIPS_MIN_CHARS ? 2 : 1;
  if (Math.abs(word.length - term.length) > most) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let above = Array.from({ length: term.length + 1 }, (_, column) => column);
  for (let row = 1; row <= word.length; row += 1) {
    const here = [row];
    for (let column = 1; column <= term.length; column += 1) {
      const isSame = word[row - 1] === term[column - 1];
      const isSwapped =
        row > 1 && column > 1 && word[row - 1] === term[column - 2] && word[row - 2] === term[column - 1];
      here[column] = Math.min(
        at(above, column) + 1,
        at(here, column - 1) + 1,
        at(above, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    if (Math.min(...here) > most) return Number.POSITIVE_INFINITY;
    before = above;
    above = here;
  }
  const slips = at(above, term.length);
  return slips <= most ? slips : Number.POSITIVE_INFINITY;
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
