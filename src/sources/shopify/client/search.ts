/**
 * Shopify's search syntax (shopify.dev/docs/api/usage/search-syntax). A filter is one string, so whatever comes
 * from outside is quoted here and nowhere else.
 */

import { listBareForms, type SearchWord } from '../../../ledger/model/values/search-words.js';

/** `field:"text"`: a phrase. Inside it only `"` and `\` mean something; `OR`, `*`, `:` and `(` are plain text. */
export function matches(field: 'sku' | 'tag' | 'source_identifier', text: string): string {
  return `${field}:"${text.replace(/[\\"]/g, '\\$&').replace(/\p{Cc}/gu, ' ')}"`;
}

/**
 * Variants of active products whose texts have all of the words. A word may be the plural of the shop's, or its beginning: `*` stands for
 * the rest of a word, and is nothing special inside quotes.
 */
export function namesAll(words: readonly SearchWord[]): string {
  const groups = words.map(({ text, also }) => {
    const exact = [text, ...also].map((word) => `"${word}"`);
    const begun = listBareForms(text).map((form) => `${form}*`);
    return `(${joinTerms([...exact, ...begun])})`;
  });
  return ['product_status:ACTIVE', ...groups].join(' AND ');
}

export function joinTerms(terms: readonly string[]): string {
  return terms.join(' OR ');
}

/** Changed at `time_ms` or later, in the shop's own clock, to the second below. */
export function changedSince(time_ms: number): string {
  return `updated_at:>='${toSeconds(time_ms)}'`;
}

/** ISO 8601 in UTC, to the second below. */
export function toSeconds(time_ms: number): string {
  return `${new Date(time_ms).toISOString().slice(0, 19)}Z`;
}
