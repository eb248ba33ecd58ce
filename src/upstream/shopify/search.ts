/**
 * Shopify's search syntax (shopify.dev/docs/api/usage/search-syntax). A filter is one string, so whatever comes
 * from outside is quoted here and nowhere else.
 */

/** `field:"text"`: a phrase. Inside it only `"` and `\` mean something; `OR`, `*`, `:` and `(` are plain text. */
export function matches(field: 'sku' | 'tag' | 'source_identifier', text: string): string {
  return `${field}:"${text.replace(/[\\"]/g, '\\$&').replace(/\p{Cc}/gu, ' ')}"`;
}

export function anyOf(terms: readonly string[]): string {
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
