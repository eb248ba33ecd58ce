/** Times on the wire. Inside the sandbox every time is in milliseconds since 1970. */

const ISO_8601 = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/u;

/** Shopify prints whole seconds, so that a change in the running second looks up to 999 ms older than it is. */
export function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/u, 'Z');
}

/** As a reader of `isoSeconds` sees it: whole seconds, rounded down. */
export function visibleMs(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

/** Milliseconds of an ISO 8601 date or time; null when it is neither. A time without an offset is in UTC. */
export function parseTimeMs(text: string): number | null {
  if (!ISO_8601.test(text)) return null;
  const hasOffset = /(?:Z|[+-]\d{2}:?\d{2})$/u.test(text);
  const ms = Date.parse(text.includes(':') && !hasOffset ? `${text}Z` : text);
  return Number.isNaN(ms) ? null : ms;
}
