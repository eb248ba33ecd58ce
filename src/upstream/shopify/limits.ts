/** Every limit of the connector. A caller may override those in `Tuning`; the rest are the shop's own rules. */

/** Admin API version this connector is written and tested against. Documents are validated against its schema. */
export const API_VERSION = '2026-10';

/** What a caller may tune, and what tests make small. */
export interface Tuning {
  /** Time limit on one HTTP exchange, body included. */
  readonly timeout_ms: number;
  /** Requests sent for one `read` or `idempotent` call, the first one included. `once` is always 1. */
  readonly attempts_max: number;
  /** Subtracted from the shop's clock to make a cursor: the search index behind `updated_at:` lags. */
  readonly overlap_s: number;
  readonly items_per_page: number;
  readonly levels_per_item: number;
  readonly variants_per_item: number;
  readonly locations_per_page: number;
  readonly changed_levels_per_page: number;
  readonly changed_products_per_page: number;
  readonly variants_per_product: number;
}

export const DEFAULT_TUNING: Tuning = {
  timeout_ms: 10_000,
  attempts_max: 4,
  overlap_s: 120,
  items_per_page: 50,
  levels_per_item: 25,
  variants_per_item: 5,
  locations_per_page: 100,
  changed_levels_per_page: 250,
  changed_products_per_page: 25,
  variants_per_product: 100,
};

/** First back-off after a failed attempt; it doubles each time, up to `BACKOFF_MAX_MS`. */
export const BACKOFF_FIRST_MS = 250;
export const BACKOFF_MAX_MS = 8_000;
/** A shop that asks for a longer wait than this is answered to the caller as `throttled`, not waited for. */
export const THROTTLE_WAIT_MAX_MS = 30_000;
/** Shopify 2026-10: wait `(requested - available) / restoreRate` seconds, at least one. */
export const THROTTLE_WAIT_MIN_MS = 1_000;
/** A full read pauses while less than this share of the cost bucket is left, so that holds and orders find room. */
export const BUCKET_RESERVE_SHARE = 0.5;

/** A client-credentials token is replaced this long before it expires. */
export const TOKEN_MARGIN_MS = 60_000;
/** Issued tokens remembered so that they are struck out of log text. */
export const TOKENS_KEPT = 3;

/** An answer longer than this is not read to its end. The largest page asked for is well below 1 MiB. */
export const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** Text from outside is cut to this before it goes into a `detail`. */
export const DETAIL_CHARS_MAX = 500;

/** Pages in one walk through a list. With 50 items a page that is half a million items. */
export const PAGES_MAX = 10_000;
/** Shopify 2026-10: nothing beyond the first 25,000 objects of one filtered list can be paged to. */
export const FILTERED_OBJECTS_MAX = 25_000;
/** SKUs looked up in one call of `findBySku`. */
export const FIND_SKUS_MAX = 50;
/** SKUs in one search. Each may be 255 characters long, and the filter is one string. */
export const SKUS_PER_SEARCH = 10;
/** Pages looked at of what one search for SKUs brings. */
export const FIND_PAGES_MAX = 5;
/** Our tag is unique, so one hold is expected; two are what a lost answer can leave behind. */
export const HOLDS_PER_TAG_MAX = 10;

/** Shopify 2026-10: lines of one draft order. */
export const HOLD_LINES_MAX = 499;
/** Shopify 2026-10: characters of one tag. */
export const TAG_CHARS_MAX = 40;
