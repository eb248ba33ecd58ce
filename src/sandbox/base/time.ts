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

/** The sandbox shop's own time zone, in which webhooks give their times. */
export const SHOP_TIME_ZONE = 'Europe/Berlin';

const OFFSETS = new Intl.DateTimeFormat('en', { timeZone: SHOP_TIME_ZONE, timeZoneName: 'longOffset' });

/** As in webhooks: whole seconds on the shop's clock, with its offset ("2026-11-02T13:00:00+01:00"). */
export function isoAtShop(ms: number): string {
  const name = OFFSETS.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const offset = /[+-]\d{2}:\d{2}$/u.exec(name)?.[0] ?? '+00:00';
  const offsetMs = Date.parse(`1970-01-01T00:00:00${offset}`);
  return isoSeconds(ms - offsetMs).replace(/Z$/u, offset);
}
