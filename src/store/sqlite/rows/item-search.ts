/**
 * Finds items by a buyer's words, with SQLite's full-text search. It tries four queries and answers with the first that finds something:
 * all words; all words that occur in the catalogue, misspelt ones corrected; all of those but one; any of them. Each query reads a
 * bounded number of matches and ranks only those.
 */

import {
  findNearestTerms,
  listBareForms,
  readSearchWords,
  type SearchWord,
} from '../../../ledger/model/values/search-words.js';
import type { FoundItem } from '../../../ledger/state/state.js';
import type { Statements } from './statements.js';

/** Matches that are ranked: those of a word that every title has would keep the thread for too long. */
const RANKED_MAX = 500;
/** Words of a query for which similar ones are looked for, terms that are compared with each, and similar ones that are taken. */
const SLIPS_MAX = 2;
const COMPARED_MAX = 2_000;
const MEANT_MAX = 3;

/** An FTS5 expression that matches when any of its words does. */
type Group = string;

export function searchItems(sql: Statements, query: string, limit: number): readonly FoundItem[] {
  const words = readSearchWords(query);
  if (words.length === 0) return [];
  const find = (groups: readonly Group[], how: ' AND ' | ' OR '): readonly FoundItem[] =>
    groups.length === 0 ? [] : (sql.search.all(groups.join(how), RANKED_MAX, limit) as FoundItem[]);
  const all = find(words.map(makeGroup), ' AND ');
  if (all.length > 0) return all;
  const groups = findGroups(sql, words);
  const found = find(groups, ' AND ');
  if (found.length > 0) return found;
  const allButOne = dropRepeated(
    groups.flatMap((_, left) =>
      find(
        groups.filter((__, index) => index !== left),
        ' AND ',
      ),
    ),
  );
  return allButOne.length > 0 ? allButOne.slice(0, limit) : find(groups, ' OR ');
}

/** A group for each word that occurs in the catalogue, or begins one that does; for a misspelt word one of the words it may have meant. */
function findGroups(sql: Statements, words: readonly SearchWord[]): readonly Group[] {
  let slips = 0;
  return words.flatMap((word) => {
    const forms = [word, { ...word, is_begun: true }].map(makeGroup);
    const known = forms.find((group) => sql.has_match.get(group) !== undefined);
    if (known !== undefined) return [known];
    if (slips >= SLIPS_MAX) return [];
    slips += 1;
    const meant = findMeant(sql, word.text);
    return meant.length === 0 ? [] : [joinAlternatives(meant.map(quote))];
  });
}

/** Terms of the index that begin with the same letter and are nearest. */
function findMeant(sql: Statements, word: string): readonly string[] {
  const forms = listBareForms(word);
  const [first] = word;
  if (forms.length === 0 || first === undefined) return [];
  // From behind the digits on: numbered SKUs, of which there may be thousands, are no words.
  const terms = sql.terms_between.all(`${first}:`, `${first}\u{10ffff}`, COMPARED_MAX) as { term: string }[];
  return findNearestTerms(
    forms,
    terms.map(({ term }) => term),
    MEANT_MAX,
  );
}

function makeGroup({ text, also, is_begun }: SearchWord): Group {
  const words = [text, ...also].map(quote);
  return joinAlternatives(is_begun ? [...words, `${quote(text)}*`] : words);
}

function joinAlternatives(parts: readonly string[]): Group {
  return `(${parts.join(' OR ')})`;
}

/** One word, or several that follow each other; nothing in it is an operator. */
function quote(words: string): string {
  return `"${words.replaceAll('"', ' ')}"`;
}

function dropRepeated(items: readonly FoundItem[]): readonly FoundItem[] {
  return [...new Map(items.map((item) => [item.sku, item])).values()];
}
