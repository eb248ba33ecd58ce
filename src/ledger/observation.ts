/**
 * What a shop can tell the ledger: its locations, its catalogue and its stock levels. Ids are the shop's
 * own, as strings: Shopify's exceed 2^53, so they are never JS numbers.
 */

/** A place that stocks: warehouse, store, 3PL. */
export interface LocationObservation {
  readonly location_id: string;
  readonly name: string;
  /** False once the shop has deactivated it: nothing is promised there. */
  readonly active: boolean;
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
 * through us (a draft, an unlisted product, or an item whose stock the shop does not track).
 */
export type Lifecycle = 'active' | 'discontinued' | 'unlisted';

/** One inventory item with all of its levels, as read once. */
export interface ItemObservation {
  readonly item_id: string;
  /** The variant an order is placed for. When several variants share the item, the one with the lowest id. */
  readonly variant_id: string;
  /** Of that variant. */
  readonly product_id: string;
  /** As the shop has it; null or empty when the merchant gave none. */
  readonly sku: string | null;
  readonly title: string;
  readonly variant_title: string;
  readonly lifecycle: Lifecycle;
  /** Complete: a location not listed here does not stock the item. */
  readonly levels: readonly LevelObservation[];
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
