/**
 * The port to a shop. `StockSource` reads, `OrderSink` writes; src/sources/shopify implements both. Nothing
 * here knows of GraphQL or HTTP, and nothing outside src/sources/shopify knows of Shopify.
 */

import type { OrderPayment } from '../ledger/model/order.js';
import type { StockMove } from '../ledger/model/stock-transfer.js';
import type { Anchor } from '../ledger/model/values/anchor.js';
import type { Buyer, BuyerField } from '../ledger/model/values/buyer.js';
import type {
  FulfilmentObservation,
  ItemObservation,
  LevelObservation,
  ListingObservation,
  LocationObservation,
  OrderObservation,
  ShopHint,
  ShopLine,
} from '../ledger/model/values/observation.js';
import type { ReservedUnits } from '../ledger/model/values/unowned-units.js';

export type { FulfilmentObservation, ShopHint, ShopLine };

/** Why a call to the shop failed, as a machine can act on it. */
export type UpstreamFailure =
  /** No answer, or a 5xx: may work later. */
  | 'unreachable'
  /** The shop asked us to slow down: `retry_after_ms` says for how long. */
  | 'throttled'
  /** Token missing, wrong or expired. A person has to act. */
  | 'unauthorized'
  /** The token lacks a scope. A person has to act. */
  | 'scope_missing'
  /** The shop understood and said no. The same request will be refused again. */
  | 'refused'
  /** The answer was not what the schema promises. */
  | 'protocol';

/** Thrown by reads. `detail` comes from outside: it is for people who ask (holdfast doctor), never for an agent or the log. */
export class UpstreamError extends Error {
  readonly failure: UpstreamFailure;
  readonly detail: string;
  readonly retry_after_ms: number | null;
  /** A word of ours for what was said: `http_403`, say. Null where there is none. */
  readonly code: string | null;

  constructor(
    failure: UpstreamFailure,
    detail: string,
    retryAfterMs: number | null = null,
    code: string | null = null,
  ) {
    super(`shop: ${failure}`);
    this.name = 'UpstreamError';
    this.failure = failure;
    this.detail = detail;
    this.retry_after_ms = retryAfterMs;
    this.code = code;
  }
}

/**
 * What is known after a write. `unknown` is the dangerous one: the request may or may not have taken
 * effect, so it must be looked up before anything is sent again.
 */
export type WriteOutcome<T> =
  | { readonly outcome: 'done'; readonly value: T }
  | {
      readonly outcome: 'refused';
      readonly failure: UpstreamFailure;
      readonly detail: string;
      /** Left out: not known. */
      readonly cause?: RefusalCause;
    }
  | {
      readonly outcome: 'not_sent';
      readonly failure: UpstreamFailure;
      readonly detail: string;
      readonly retry_after_ms: number | null;
    }
  | { readonly outcome: 'unknown'; readonly detail: string };

/** Why a shop refuses an order for good, as far as its errors tell. */
export type RefusalCause =
  /** It does not sell an item of it any more. */
  | 'item_unavailable'
  /** It takes no orders: closed, frozen or dormant. */
  | 'shop_closed'
  /** It refuses how the order is to be paid. */
  | 'payment'
  /** It limits what an order or a draft may hold. */
  | 'limit'
  /** What it would be about is not there any more. */
  | 'gone'
  /** We asked for what makes no sense: a bug of ours. */
  | 'malformed';

/** The shop refused details of the buyer, by the names that our callers know. Nothing was changed. */
export interface BuyerRefused {
  readonly outcome: 'buyer_refused';
  readonly fields: readonly BuyerField[];
  readonly detail: string;
}

/** One page of a full read. */
export interface CataloguePage {
  readonly items: readonly ItemObservation[];
  /** Variants that these items are sold as: several may sell one. */
  readonly variants: number;
  /**
   * How old the figures may be: as of when this page was asked for, or as of when the whole walk began (a bulk result).
   * A `page` after a `walk`: the bulk result has broken off, and the catalogue is read again from its beginning.
   */
  readonly as_of: 'page' | 'walk';
  /** Items in the whole catalogue by the shop's own count, for progress alone; null when it did not say. */
  readonly total_items: number | null;
}

/** How many variants the shop has, by its own count. */
export interface VariantCount {
  readonly variants: number;
  /** False: at least so many. */
  readonly is_exact: boolean;
}

/** One page of what the shop changed since a cursor. */
export interface Changes {
  readonly levels: readonly LevelObservation[];
  /** Items whose catalogue entry changed (title, status, SKU): to be read whole. One may be named on several pages. */
  readonly item_ids: readonly string[];
  /**
   * Products that changed or were deleted. Items that were theirs before, and that `item_ids` does not name, may be gone:
   * they have to be read, too. One may be named on several pages, and by several reads.
   */
  readonly product_ids: readonly string[];
  /** Something was deleted that the shop does not name: only a full read finds it. */
  readonly has_lost_variants: boolean;
  /**
   * Hand this to the next call once every page is taken over. The same on all of them. Opaque; in the shop's own time,
   * with the overlap already subtracted.
   */
  readonly cursor: string;
}

export interface StockSource {
  locations(signal: AbortSignal): Promise<readonly LocationObservation[]>;
  /** The whole catalogue with its levels, in pages. Take `cursorNow` first: it covers what changes while this reads. */
  catalogue(signal: AbortSignal): AsyncIterable<CataloguePage>;
  /** Null when the shop does not say. It counts what its lists may not show. */
  countVariants(signal: AbortSignal): Promise<VariantCount | null>;
  /** A cursor for `changesSince` that covers everything from now on. */
  cursorNow(signal: AbortSignal): Promise<string>;
  /** Asks the shop what time it is, where that is not known in this process: an answer tells how old the ledger really is. */
  hearTime(signal: AbortSignal): Promise<void>;
  /** In pages, the first of which may be empty. Each is asked for when it is wanted. */
  changesSince(cursor: string, signal: AbortSignal): AsyncIterable<Changes>;
  /** Re-read whole items by inventory item id, at most `READ_ITEMS_MAX` a call. Ids the shop no longer knows are absent. */
  readItems(itemIds: readonly string[], signal: AbortSignal): Promise<readonly ItemObservation[]>;
  /** Ids of the items that the variants of these products sell. Products that the shop no longer knows bring none. */
  itemsOfProducts(productIds: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /** Names where items have to be published to be sold, asked of the shop anew: opaque, and another one when another place counts. */
  publicationKey(signal: AbortSignal): Promise<string>;
  /** Every listing, in pages, without its stock. None where it does not count where an item is published. */
  listings(signal: AbortSignal): AsyncIterable<readonly ListingObservation[]>;
  /** Items by SKU, for a call that comes before the first full read is through. */
  findBySku(skus: readonly string[], signal: AbortSignal): Promise<readonly ItemObservation[]>;
  /** Items of active products by a buyer's words, by the shop's own search, the best first; `limit` at most. For the same calls. */
  findByWords(query: string, limit: number, signal: AbortSignal): Promise<readonly ItemObservation[]>;
}

export const READ_ITEMS_MAX = 50;

/** What became of orders at the shop after they were placed: people cancel, edit, refund, take back and ship them. */
export interface OrderSource {
  /** By the shop's reference, at most `READ_ORDERS_MAX` a call. Orders that the shop no longer shows are absent. */
  readOrders(orderRefs: readonly string[], signal: AbortSignal): Promise<readonly OrderObservation[]>;
  /**
   * Orders of ours (by our common tag) that changed since the cursor, those that changed longest ago first, in one page
   * at least; null starts now and brings none.
   */
  ordersChangedSince(cursor: string | null, signal: AbortSignal): AsyncIterable<ChangedOrders>;
}

/** One page of orders that changed. */
export interface ChangedOrders {
  readonly orders: readonly OrderObservation[];
  /** What is asked with this brings all but the pages so far, and perhaps some of them again. */
  readonly cursor: string;
}

export const READ_ORDERS_MAX = 25;

/** One delivery of a webhook, verified. */
export interface Delivery {
  /** Unique per message: a second delivery of the same message has the same id. */
  readonly delivery_id: string;
  /** Of the body, where it tells a moment, so that none like it can come again; null where it does not. */
  readonly fingerprint: string | null;
  readonly topic: string;
  /** When the shop says it happened, in its own clock; null when it does not. */
  readonly triggered_at_ms: number | null;
  readonly hints: readonly ShopHint[];
}

/** Why a delivery was turned away. Each is counted; nothing of it is written. */
export type DeliveryRefusal = 'unsigned' | 'bad_signature' | 'other_shop' | 'malformed';

export type DeliveryVerdict =
  | { readonly ok: true; readonly delivery: Delivery }
  | { readonly ok: false; readonly why: DeliveryRefusal };

/** Tells the shop's own messages from anybody else's. */
export interface DeliveryGate {
  /** `body` is the raw bytes as they came: the signature is over them, not over what they parse to. Headers in lower case. */
  judge(
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: Buffer,
  ): Promise<DeliveryVerdict>;
}

/** The shop's list of whom it tells. */
export interface Subscriptions {
  /**
   * Makes the subscriptions at the shop what they should be for messages to `url`: those missing are created, those of
   * ours for another address are moved, nobody else's is touched. Safe to repeat. Throws UpstreamError.
   */
  ensure(url: string, signal: AbortSignal): Promise<SubscriptionReport>;
  /** Those of ours that exist, by topic; reads only. */
  list(signal: AbortSignal): Promise<readonly { readonly topic: string; readonly url: string }[]>;
}

export interface SubscriptionReport {
  readonly kept: readonly string[];
  readonly created: readonly string[];
  readonly moved: readonly string[];
  /** Topics that the shop refuses to subscribe (a scope is missing, for example): the heartbeat covers them. */
  readonly refused: readonly { readonly topic: string; readonly detail: string }[];
}

export interface HoldLine {
  readonly variant_id: string;
  readonly quantity_units: number;
}

/** What the shop should hold. `tag` is ours and unique: it is how an unknown outcome is looked up. */
export interface HoldRequest {
  readonly tag: string;
  readonly lines: readonly HoldLine[];
  /** When the shop lets go by itself if it never hears from us again, in ledger time: the shop is told by its own clock. */
  readonly until_ms: number;
  /** Kept with it at the shop, and with the order that it becomes. Left out: nothing is. */
  readonly anchor?: Anchor;
}

export interface OrderDetails {
  /** In ledger time. */
  readonly until_ms: number;
  readonly buyer: Buyer | null;
  readonly note: string | null;
  /** The agent's own reference (a cart or conversation id). */
  readonly reference: string | null;
  /** True once the shop has refused details of the order (left out: false): what is null, or missing of the buyer, is cleared there. */
  readonly is_corrected?: boolean;
  /** Replaces the one that is there. Left out: that stays. */
  readonly anchor?: Anchor;
}

/** A hold as the shop has it. */
export interface ShopHold {
  readonly hold_ref: string;
  /** All of them, whoever has put them there. */
  readonly lines: readonly ShopLine[];
  readonly status: 'open' | 'completed';
  /** In ledger time. Null when the shop holds nothing for it (never reserved). */
  readonly until_ms: number | null;
  /** Where a buyer can pay for it and so make the order. Whoever has it can pay. Null when the shop gives none. */
  readonly checkout_url: string | null;
  readonly order: ShopOrder | null;
}

export interface ShopOrder {
  readonly order_ref: string;
  /** As the merchant sees it, e.g. "#1001". */
  readonly order_name: string;
  /** What the order has; null where the shop did not say. */
  readonly lines: readonly ShopLine[] | null;
  readonly is_cancelled: boolean;
}

export const FIND_TAGS_MAX = 20;

/** What carries tags of ours. */
export interface TaggedFinds {
  readonly orders: readonly TaggedOrder[];
  readonly holds: readonly { readonly tag: string; readonly hold: ShopHold }[];
}

export interface TaggedOrder {
  readonly tag: string;
  readonly order_ref: string;
  readonly order_name: string;
  readonly is_cancelled: boolean;
  /** Nothing of it was paid: its payment is pending. */
  readonly is_unpaid: boolean;
}

/** An order that is made at once, without a hold that becomes it. `tag` is how an unknown outcome is looked up. */
export interface OrderRequest {
  readonly tag: string;
  readonly lines: readonly HoldLine[];
  readonly buyer: Buyer | null;
  readonly note: string | null;
  readonly reference: string | null;
  readonly payment: OrderPayment;
  /** Kept with it at the shop. Left out: nothing is. */
  readonly anchor?: Anchor;
}

/** An order of ours as far as it proves the ledger. */
export interface AnchoredOrder {
  readonly order_ref: string;
  readonly order_name: string;
  /** As it stands at the shop, where anybody with access to its orders may change it. Null: it has none. */
  readonly anchor: string | null;
}

export interface AnchorSource {
  /** Every order of ours that the shop shows, in pages. Without `read_all_orders` Shopify shows those of 60 days. Throws UpstreamError. */
  readAnchors(signal: AbortSignal): AsyncGenerator<readonly AnchoredOrder[]>;
}

/** Of a fulfilment order, what is to be shipped from another place. `lines`: null moves everything that remains. */
export interface FulfilmentMove {
  readonly fulfilment_ref: string;
  readonly to_location_id: string;
  readonly lines: readonly { readonly line_ref: string; readonly units: number }[] | null;
}

/**
 * What is known after an order was asked for. `paced`: a shop that takes only so many orders a minute (a development
 * store) has turned it away before anything ran.
 */
export type OrderOutcome =
  | WriteOutcome<ShopOrder>
  | BuyerRefused
  | { readonly outcome: 'paced'; readonly detail: string; readonly retry_after_ms: number };

/** `out_of_stock`: the shop does not have the units; nothing was made. */
export type PlaceOutcome = OrderOutcome | { readonly outcome: 'out_of_stock'; readonly detail: string };

/**
 * What is known after a move of stock was sent. After `unknown` and `not_sent` the very same move may be sent again: the
 * shop carries out one key once. After the others its key is used up, and nothing was moved.
 */
export type MoveOutcome =
  | WriteOutcome<null>
  /** A figure was not the one that the move was to start from. */
  | { readonly outcome: 'stale'; readonly detail: string }
  /** The shop gave up on it; another try, under a new key, may do. */
  | { readonly outcome: 'failed'; readonly detail: string };

/**
 * Writes never throw for what the shop or the network does: they say what is known (`WriteOutcome`).
 * Look-ups are reads and throw `UpstreamError`.
 */
export interface OrderSink {
  createHold(request: HoldRequest, signal: AbortSignal): Promise<WriteOutcome<ShopHold>>;
  /**
   * Sets buyer, note, reference and the time until which units are held. Sending it twice is harmless. A hold that had
   * lapsed takes its units again, without a look at the stock.
   */
  updateHold(
    holdRef: string,
    details: OrderDetails,
    signal: AbortSignal,
  ): Promise<WriteOutcome<ShopHold> | BuyerRefused>;
  /**
   * Turns the hold into an order, left to be paid or marked as paid. Completing a completed hold answers with its order, paid
   * as it was the first time. `maySend` is asked right before it is sent: false sends nothing.
   */
  completeHold(
    holdRef: string,
    signal: AbortSignal,
    payment: OrderPayment,
    maySend?: () => boolean,
  ): Promise<OrderOutcome>;
  /** Lets go. Deleting what is already gone is `done`. */
  deleteHold(holdRef: string, signal: AbortSignal): Promise<WriteOutcome<null>>;
  /** By our tag; at most one is expected. The shop's search may lag behind a create by seconds. */
  findHolds(tag: string, signal: AbortSignal): Promise<readonly ShopHold[]>;
  /** By the shop's reference; null when it no longer exists. Reads the object itself, without search lag. */
  readHold(holdRef: string, signal: AbortSignal): Promise<ShopHold | null>;
  /** Moves units between what can be sold and what is reserved, exactly where they are. Safe to repeat with the same key. */
  moveStock(move: StockMove, signal: AbortSignal): Promise<MoveOutcome>;
  /**
   * Makes an order, paid or left to be paid, that takes its units out of what can be sold, if they are there. Twice is two orders, so that
   * `maySend` is asked right before it is sent, after whatever has to be read for it: false sends nothing.
   */
  placeOrder(request: OrderRequest, signal: AbortSignal, maySend?: () => boolean): Promise<PlaceOutcome>;
  /** What each place is to ship of an order; null when the shop does not show the order. */
  readFulfilment(orderRef: string, signal: AbortSignal): Promise<readonly FulfilmentObservation[] | null>;
  /**
   * Has units of an order shipped from another place, with the stock that is committed to them. Twice may be two moves, so
   * `maySend` is asked right before it is sent: false sends nothing.
   */
  moveFulfilment(
    move: FulfilmentMove,
    signal: AbortSignal,
    maySend?: () => boolean,
  ): Promise<WriteOutcome<null>>;
  /** Orders made with our tag, the oldest first, cancelled ones too; at most one is expected. The shop's search may lag behind by seconds. */
  findOrders(tag: string, signal: AbortSignal): Promise<readonly ShopOrder[]>;
}

/** The last of the lanes in which calls are made to the shop: mirrors of reservations. */
export interface MirrorLane {
  readonly sink: OrderSink;
  /** Resolves when one can be sent without keeping orders and reads waiting, or after a bounded time. */
  leaveRoom(signal: AbortSignal): Promise<void>;
}

/** What the shop keeps reserved, whoever reserved it. */
export interface ReservedSource {
  /** All levels of these items, at most `READ_ITEMS_MAX` of them. Throws UpstreamError. */
  readReserved(itemIds: readonly string[], signal: AbortSignal): Promise<readonly ReservedUnits[]>;
}

/** Finds and mends what the shop carried out late. */
export interface LateOrderSink extends Pick<OrderSink, 'deleteHold'> {
  /** All orders and drafts that carry one of these tags, at most `FIND_TAGS_MAX`, each with its tag. In as few searches as can be. */
  findTagged(tags: readonly string[], signal: AbortSignal): Promise<TaggedFinds>;
  /** Cancels an order whose payment is pending, and puts its units back into stock. Nobody is told by mail. */
  cancelOrder(orderRef: string, signal: AbortSignal): Promise<WriteOutcome<null>>;
}
