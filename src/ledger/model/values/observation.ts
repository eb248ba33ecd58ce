/**
 * What a shop can tell the ledger: its locations, its catalogue and its stock levels. Ids are the shop's
 * own, as strings: Shopify's exceed 2^53, so they are never JS numbers.
 */

/** A place that stocks: warehouse, store, 3PL. */
export interface LocationObservation {
  readonly location_id: string;
  readonly name: string;
  /** Whether it fulfils online orders, and is open. Where it does not, nothing is promised: agents sell online. */
  readonly active: boolean;
  /** Open, but it fulfils no online orders: its stock is sold at the till alone. Never while it is active. Left out: false. */
  readonly till_only?: boolean;
}

/** One inventory item at one location, as read once. */
export interface LevelObservation {
  readonly item_id: string;
  readonly location_id: string;
  /** What the shop itself says can be sold there. May be negative; that promises 0. */
  readonly available_units: number;
  /** Informational. */
  readonly on_hand_units: number | null;
  /** Informational. */
  readonly committed_units: number | null;
  /** The shop's own time of the last change of this level, in its own clock; null when it does not say. */
  readonly upstream_updated_at_ms: number | null;
}

/**
 * `active`: sold. `discontinued`: archived or deleted at the shop. `unlisted`: exists but is not for sale
 * through us; `OffSale` has the reasons.
 */
export type Lifecycle = 'active' | 'discontinued' | 'unlisted';

/**
 * Why an item is not `active`, by what the shop says of the listing that comes nearest to being sold. `archived` and `deleted` are
 * `discontinued`, the others `unlisted`.
 */
export type OffSale =
  | 'archived'
  | 'deleted'
  /** A product that is not finished. */
  | 'draft'
  /** For those who have its address, and nobody else. */
  | 'direct_link_only'
  /** The shop does not count its stock. */
  | 'untracked'
  /** Selling one takes units of other items, and has no stock of its own that could be held. */
  | 'bundle'
  | 'subscription_only'
  /** Only lists other products. */
  | 'combined_listing'
  /** Is money: an order that is marked as paid would make it. */
  | 'gift_card'
  /** Not published where agents sell. */
  | 'not_published';

/** Whether the shop itself goes on selling an item below zero. */
export type InventoryPolicy = 'deny' | 'continue';

/** One inventory item with all of its levels, as read once. */
export interface ItemObservation {
  readonly item_id: string;
  /** The variant an order is placed for. When several variants share the item, the newest of those that are sold. */
  readonly variant_id: string;
  /** Of that variant. */
  readonly product_id: string;
  /** As the shop has it; null or empty when the merchant gave none. */
  readonly sku: string | null;
  readonly title: string;
  readonly variant_title: string;
  readonly lifecycle: Lifecycle;
  /** Null while it is active. Left out: not known. */
  readonly off_sale?: OffSale | null;
  /** Of that variant. Left out: `deny`. */
  readonly inventory_policy?: InventoryPolicy;
  /** Complete: a location not listed here does not stock the item. */
  readonly levels: readonly LevelObservation[];
}

/** One listing of an item: what it may be sold as, without its stock. Several listings may share an item. */
export interface ListingObservation {
  readonly item_id: string;
  readonly variant_id: string;
  readonly lifecycle: Lifecycle;
  readonly off_sale: OffSale | null;
}

/** A line of a draft or of an order as the shop has it. */
export interface ShopLine {
  /** Null for a line that is no item of the catalogue, and for what is beyond the lines that are read. */
  readonly item_id: string | null;
  readonly sku: string | null;
  readonly quantity_units: number;
}

/** What became of one of our orders at the shop, as read once. Everything here may be read again, late or out of order. */
export interface OrderObservation {
  readonly order_ref: string;
  readonly order_name: string;
  /** The shop's own time of the last change, in its own clock: an older reading never replaces a newer one. */
  readonly updated_at_ms: number;
  readonly cancelled_at_ms: number | null;
  readonly fulfilment: 'unfulfilled' | 'partial' | 'fulfilled';
  readonly lines: readonly OrderLineObservation[];
  readonly refunds: readonly RefundObservation[];
  readonly returns: readonly ReturnObservation[];
}

export interface OrderLineObservation {
  readonly line_ref: string;
  /** Null for a line that is no variant of the catalogue (any more). */
  readonly variant_id: string | null;
  readonly ordered_units: number;
  /** Units that are still part of the order, after edits, refunds and cancellation. */
  readonly current_units: number;
}

export interface RefundObservation {
  readonly refund_ref: string;
  readonly at_ms: number;
  readonly refunded_units: number;
  /** Of them, those that the shop has put back on its shelves. */
  readonly restocked_units: number;
}

export interface ReturnObservation {
  readonly return_ref: string;
  readonly status: 'requested' | 'open' | 'closed' | 'declined' | 'cancelled';
  readonly returned_units: number;
  /** Of them, those that the shop has put back on its shelves. */
  readonly restocked_units: number;
}

/** What one place is to ship of an order, as the shop has it: one of its fulfilment orders. */
export interface FulfilmentObservation {
  readonly fulfilment_ref: string;
  /** Null when the shop does not say. */
  readonly location_id: string | null;
  /** Something on it may still be shipped. */
  readonly is_open: boolean;
  /** The shop offers to move it elsewhere. */
  readonly can_move: boolean;
  readonly lines: readonly FulfilmentLine[];
}

export interface FulfilmentLine {
  readonly line_ref: string;
  /** Null for a line that is no item of the catalogue. */
  readonly item_id: string | null;
  readonly total_units: number;
  /** Of them, those that are not shipped yet. */
  readonly remaining_units: number;
}

/** What a verified message of the shop names as changed. Names only: its figures are never believed. */
export type ShopHint =
  | { readonly kind: 'item'; readonly id: string }
  | { readonly kind: 'variant'; readonly id: string }
  | { readonly kind: 'product'; readonly id: string }
  /** An order, by the shop's reference. */
  | { readonly kind: 'order'; readonly id: string }
  /** A hold of ours or somebody else's draft order, by the shop's reference. */
  | { readonly kind: 'hold'; readonly id: string }
  | { readonly kind: 'locations' }
  /** The app was removed, or its scopes changed: a person has to look. */
  | { readonly kind: 'access' };
