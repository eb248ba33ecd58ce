/** Every limit of the connector. A caller may override those in `Tuning`; the rest are the shop's own rules. */

/** Admin API version this connector is written and tested against. Documents are validated against its schema. */
export const API_VERSION = '2026-10';
/** Between two lines of the log that say that it is retired. */
export const VERSION_TOLD_EVERY_MS = 86_400_000;

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
  readonly listings_per_page: number;
  readonly orders_per_page: number;
  readonly lines_per_order: number;
  readonly returns_per_order: number;
  /** Above this many variants a full read is a bulk operation. `Infinity`: never. */
  readonly bulk_from_items: number;
  /** Items of a bulk result handed on at once. */
  readonly bulk_items_per_page: number;
  /** A bulk operation that is not through after this long is cancelled, and the catalogue is read in pages. */
  readonly bulk_wait_ms: number;
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
  listings_per_page: 250,
  orders_per_page: 25,
  lines_per_order: 50,
  returns_per_order: 10,
  bulk_from_items: 2_000,
  bulk_items_per_page: 200,
  bulk_wait_ms: 1_800_000,
};

/** First back-off after a failed attempt; it doubles each time, up to `BACKOFF_MAX_MS`. */
export const BACKOFF_FIRST_MS = 250;
export const BACKOFF_MAX_MS = 8_000;
/** A shop that asks for a longer wait than this is answered to the caller as `throttled`, not waited for. */
export const THROTTLE_WAIT_MAX_MS = 30_000;
/** Shopify 2026-10: wait `(requested - available) / restoreRate` seconds, at least one. */
export const THROTTLE_WAIT_MIN_MS = 1_000;
/** The cost bucket's share that reads of stock leave to orders. */
export const STOCK_RESERVE_SHARE = 0.25;
/** Mirrors of reservations leave this share to orders, the heartbeat and re-reads. */
export const HOLDS_RESERVE_SHARE = 0.5;
/** A full read leaves this share: neither orders nor the heartbeat shall wait for it. */
export const WALK_RESERVE_SHARE = 0.5;
/** The longest that one request waits for the bucket. Then it goes out all the same, and the shop decides. */
export const RESERVE_WAIT_MAX_MS = 30_000;
/** Between two looks at the bucket: others may have taken what was waited for. */
export const RESERVE_LOOK_MS = 100;
/** Assumed of a document that was never sent, in points. Shopify 2026-10, measured: 10 to 60 for pages like ours. */
export const COST_UNSEEN_POINTS = 20;

/** A client-credentials token is replaced this long before it expires. */
export const TOKEN_MARGIN_MS = 60_000;
/** Issued tokens remembered so that they are struck out of log text. */
export const TOKENS_KEPT = 3;
/** Texts of buyers, sent lately, that are struck out of log text. An order has about ten. */
export const BUYER_TEXTS_KEPT = 500;

/** An answer longer than this is not read to its end. The largest page asked for is well below 1 MiB. */
export const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** Text from outside is cut to this before it goes into a `detail`. */
export const DETAIL_CHARS_MAX = 500;

/** Objects in one walk through a list, however small its pages. */
export const OBJECTS_MAX = 500_000;
/** A page without objects counts as so many: a list of nothing but those has to end, too. */
export const EMPTY_PAGE_OBJECTS = 100;
/** Shopify 2026-10: nothing beyond the first 25,000 objects of one filtered list can be paged to. */
export const FILTERED_OBJECTS_MAX = 25_000;
/** A shop has a handful of sales channels, and a catalog for each company and market it sells to. */
export const PUBLICATIONS_PER_PAGE = 50;
/** SKUs looked up in one call of `findBySku`. */
export const FIND_SKUS_MAX = 50;
/** SKUs in one search. Each may be 255 characters long, and the filter is one string. */
export const SKUS_PER_SEARCH = 10;
/** Pages looked at of what one search for SKUs brings; as many items, where the shop wants smaller pages. */
export const FIND_PAGES_MAX = 5;
/** Our tag is unique, so one hold is expected; two are what a lost answer can leave behind. */
export const HOLDS_PER_TAG_MAX = 10;

/** Of one order: one for each place that ships of it, most often one. */
export const FULFILMENTS_PER_PAGE = 5;

/** Shopify 2026-10: changes in one inventory mutation. */
export const MOVE_CHANGES_MAX = 250;
/** Shopify: development stores take five orders a minute; one more is told to come back in a minute. */
export const ORDERS_LIMITED_WAIT_MS = 60_000;

/** Variants looked up in one call for orders that are made at once, and such calls under way at most. */
export const SHIPPED_IDS_MAX = 100;
export const SHIPPED_READS_MAX = 2;
export const SHIPPED_READ_MS = 20_000;
/** Variants whose answer is remembered until the orders that asked have seen it. */
export const SHIPPED_KEPT_MAX = 10_000;

/** Shopify 2026-10: lines of one draft order. */
export const HOLD_LINES_MAX = 499;
/** Shopify 2026-10: characters of one tag. */
export const TAG_CHARS_MAX = 40;

/** Things that one webhook may name. A product with more variants is named as a whole. */
export const HINTS_PER_DELIVERY_MAX = 256;
/** Subscriptions of ours are a few dozen; the shop may list those that other versions of this app left behind. */
export const SUBSCRIPTIONS_PER_PAGE = 100;
export const SUBSCRIPTIONS_MAX = 2_000;

/** Refunds read of one order: Shopify gives them as a plain list, which cannot be continued. */
export const REFUNDS_PER_ORDER_MAX = 250;

/** Deleted products read at once. */
export const DELETIONS_PER_PAGE = 100;

/** Between two looks at a bulk operation; the wait doubles up to the second. */
export const BULK_LOOK_FIRST_MS = 1_000;
export const BULK_LOOK_MAX_MS = 10_000;
/** Time limit on telling the shop to stop a bulk operation that nobody waits for any more. */
export const BULK_CANCEL_MS = 5_000;
/** A bulk result longer than this is not read to its end. 100,000 variants at 4 locations make about 200 MB. */
export const BULK_BYTES_MAX = 4 * 1024 * 1024 * 1024;
/** One line of it: one object without its lists. */
export const BULK_LINE_BYTES_MAX = 256 * 1024;
/** Lines that belong to one item: it has some locations and a few variants. */
export const BULK_LINES_PER_ITEM_MAX = 5_000;
/** How long the place where the result lies may stay silent. */
export const BULK_SILENCE_MAX_MS = 30_000;
