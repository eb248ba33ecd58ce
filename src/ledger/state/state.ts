/** What the ledger needs of the world: a store to decide in, and somebody who can re-read the shop. */

import type { DecisionWatch } from '../model/decision-watch.js';
import type { ReconcileReport } from '../model/drift-report.js';
import type { Hold } from '../model/hold.js';
import type { JournalDraft, JournalEntry } from '../model/journal.js';
import type { HashVerdict, HeldReason, Order, OrderMode, OrderPayment, OrderState } from '../model/order.js';
import type { MirrorMode, OutboxRow, StaleHashPolicy } from '../model/outbox-row.js';
import type { Reservation, ReservationLine, ReservationState } from '../model/reservation.js';
import type { RoutedUnits, RouteEnd, RouteFulfillment, RouteState } from '../model/route.js';
import type { Item, Level } from '../model/stock.js';
import type { Usage } from '../model/usage.js';
import type { Anchor } from '../model/values/anchor.js';
import type { RequirableDetail } from '../model/values/buyer.js';
import type { Lifecycle, OffSale, ShopHint } from '../model/values/observation.js';
import type { QuotaName, QuotaSettings } from '../model/values/quota-limits.js';
import type { Result } from '../model/values/refusal.js';
import type { StockHash } from '../model/values/stock-hash.js';
import type { LedgerMs } from '../model/values/units.js';
import type { MovedUnits } from '../model/values/unowned-units.js';

/**
 * Ledger time. `now` never runs backwards; `observe` tells it of a later time that another process has
 * written, and answers with a time that is not before it (invariant L9).
 */
export interface Clock {
  now(): LedgerMs;
  /**
   * `isShared`: whether another process works on the ledger at that time of it. A wall clock that is far ahead is then not
   * followed before the shop has borne it out.
   */
  observe(writtenAt: LedgerMs, isShared?: (now: LedgerMs) => boolean): LedgerMs;
  /**
   * Milliseconds that have really passed in this process since any start. Ledger time follows a wall clock that jumps ahead:
   * whoever has to have waited for somebody else can't tell by that.
   */
  elapsed(): number;
  /**
   * By how much more than `now` says may have passed since that ledger time: the wall clock has jumped ahead, and the shop has not
   * answered since; or the shop's answers have shown that this machine stood still in between. See `measureAge`.
   */
  doubtMs(since: LedgerMs): number;
  /** Of that, what the shop's answers have shown. */
  missedMs(since: LedgerMs): number;
  /**
   * Whether this machine may have been suspended, or set back to a snapshot of itself, after that ledger time: the shop's clock, or
   * until its next answer the wall clock, has gone on by more than the monotonic one.
   */
  mayHaveStoodStill(since: LedgerMs): boolean;
  /**
   * How far ledger time is ahead of the shop's, negative where it is behind; 0 where they agree. Before the shop has answered:
   * how far it is ahead of this machine's clock.
   */
  leadMs(): number;
  /** What the ledger remembers of the shop's clock: the shop's first answer to this process is compared with it. */
  recall(mark: TimeMark): void;
  /** The same as of now, for processes to come; null before the shop has answered. */
  timeMark(): TimeMark | null;
}

/** What time it was at the shop at a moment of ledger time. */
export interface TimeMark {
  readonly shop_ms: number;
  readonly ledger_ms: LedgerMs;
}

/** What is known of the shop's clock. Times of the shop are ledger time less `leadMs`. */
export interface ShopTime extends Pick<Clock, 'elapsed' | 'leadMs'> {
  /** False before the shop's first answer, and when this machine's clocks have parted since the newest one. */
  isShopTimeKnown(): boolean;
  /** The Date of an answer, and `elapsed` when its request was sent. */
  hearShopTime(dateMs: number, sentAtElapsed: number): void;
}

/** Randomness and names, made outside so that a decision has none of its own. */
export interface Ids {
  /** A time-ordered id that can't be guessed: at least 74 random bits. */
  reservation(now: LedgerMs): string;
  order(now: LedgerMs): string;
  /** 128 random bits in hex. */
  salt(): string;
}

export interface LedgerSettings {
  readonly ttl_default_s: number;
  readonly ttl_min_s: number;
  readonly ttl_max_s: number;
  /** At or below it a SKU is `low_stock`. */
  readonly low_stock_units: number;
  /** Our own buffer per level for SKUs without one of their own. */
  readonly safety_stock_units: number;
  readonly stale_hash: StaleHashPolicy;
  readonly mirror: MirrorMode;
  readonly order_mode: OrderMode;
  /** How orders that the server completes stand at the shop: left to be paid, or marked as paid. */
  readonly order_payment: OrderPayment;
  /** Whether placed orders are moved to the places that promised their units. */
  readonly route_fulfillment: RouteFulfillment;
  /** Details without which no order is taken. */
  readonly buyer_required: readonly RequirableDetail[];
  /** How long a buyer has to pay at the shop's checkout, from when there is a link to it. */
  readonly pay_ms: number;
  /** How long `submit` waits for a revalidation before it answers `held`. */
  readonly submit_wait_ms: number;
  /** How long a call waits for a re-read of stale stock. */
  readonly freshen_wait_ms: number;
  /** How long before the shop lets go by itself a hold stops being trusted as mirrored. */
  readonly mirror_margin_ms: number;
  /** Mirrors of one caller that may wait for their turn: with more, a new reservation counts on our side alone. */
  readonly waiting_mirrors_max: number;
  /** How long an order that is held as stale waits before it is rejected. */
  readonly held_order_max_ms: number;
  /** How long an order above its caller's quota waits for a person before it is rejected. */
  readonly order_quota_hold_ms: number;
  /** A level jumps when more than this share of it comes or goes unexplained, in percent. */
  readonly jump_share_percent: number;
  /** Fewer unexplained units are no jump, whatever their share. */
  readonly jump_min_units: number;
  /** How long the shop's search may hide a change from heartbeats: what is missed for longer is drift. */
  readonly drift_slack_ms: number;
  /** What one caller may take. */
  readonly quotas: QuotaSettings;
  /** Nothing is reserved, released or submitted, whoever asks. */
  readonly read_only: boolean;
}

export interface LocationRow {
  readonly location_id: string;
  readonly name: string;
  readonly position: number;
  /** Open, and fulfils online orders: units may be promised there. */
  readonly active: boolean;
  /** Open, but it fulfils no online orders. Left out: false. */
  readonly till_only?: boolean;
}

export interface SyncState {
  /** Null until the first full read is through. */
  readonly baseline_at_ms: LedgerMs | null;
  /** Start of the newest heartbeat that succeeded: every SKU is confirmed as of then. 0 before. */
  readonly confirmed_at_ms: LedgerMs;
  /** The shop's own cursor for the next heartbeat. */
  readonly cursor: string | null;
}

/** Everything that one reservation owns. */
export interface Owned {
  readonly reservation: Reservation;
  readonly order: Order | null;
  readonly holds: readonly Hold[];
  readonly outbox: OutboxRow;
}

export type IdempotentTool = 'reserve_units' | 'submit_order_with_hash';

export interface IdempotencyKey {
  readonly principal: string;
  readonly tool: IdempotentTool;
  readonly key: string;
}

/** The first answer to an idempotency key. */
export interface Remembered {
  readonly input_hash: string;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly reservation: Reservation;
  readonly order: Order | null;
}

/** Whose use of the shop a decision has to know. */
export interface CallerKey {
  readonly principal: string;
  readonly origin: string | null;
  readonly channel: string | null;
  /** Nobody else can call this process: whether anybody else uses the ledger, its rows tell. */
  readonly is_alone: boolean;
}

/** What a transaction loads and locks. */
export interface Keys {
  readonly skus?: readonly string[];
  /** Items by upstream id, with the holds that wait for a report. */
  readonly item_ids?: readonly string[];
  /** One reservation with its order, holds, outbox row and items; by any of its names. */
  readonly owned?:
    | { readonly reservation_id: string }
    | { readonly order_id: string }
    /** The shop's own reference of the order. */
    | { readonly order_ref: string }
    | { readonly reservation_key: number };
  /**
   * Load that reservation only if it is this principal's. Somebody else's is then looked up as an unknown one is, by the same
   * statements, and no caller can tell the two apart by time either.
   */
  readonly owner?: string;
  readonly idempotency?: IdempotencyKey | undefined;
  /** Load what this caller takes up, of the items named by `skus`. */
  readonly caller?: CallerKey | undefined;
  /** Know what this principal's own live reservations hold of each item. */
  readonly holder?: string;
  /** Count the mirrors of this principal that wait for their turn. */
  readonly waiting_mirrors_of?: string;
  /** Load past checksums of the items, newest first. */
  readonly history?: boolean;
  /** Load, per level of the owned holds, the live units of reservations that came no later. */
  readonly precedence?: boolean;
}

export interface PastHash {
  readonly stock_hash: StockHash;
  readonly as_of_ms: LedgerMs;
}

export interface CallerUsage {
  readonly principal: Usage | null;
  readonly origin: Usage | null;
  readonly channel: Pick<Usage, 'items'> | null;
  /** Of reservations that are `pooled`. */
  readonly everyone: Pick<Usage, 'items'> | null;
  /** Of which origin and channel that is. */
  readonly names: { readonly origin: string | null; readonly channel: string | null };
  /** The ledger knows no other caller, and none can call: there is nobody to leave a share to. */
  readonly is_sole: boolean;
}

/** What a decision sees. */
export interface LedgerState {
  readonly now_ms: LedgerMs;
  /** How far `now_ms` is ahead of the shop's time: what is told, and what the shop has said, is in the shop's. */
  readonly lead_ms: number;
  readonly shop: string;
  /** `missing_variants`: those that the shop counts and the last full read did not show. */
  readonly sync: SyncState & { readonly missing_variants: number };
  /** By the SKUs that were asked for, in the caller's own spelling, and by those that the items have. */
  readonly items: ReadonlyMap<string, Item>;
  readonly items_by_id: ReadonlyMap<string, Item>;
  /** The item that is known by a SKU, and those that the shop gives it and that want it most. */
  readonly findClaimants: (sku: string) => readonly Item[];
  readonly locations: ReadonlyMap<string, LocationRow>;
  readonly owned: Owned | null;
  /** The items that the owned reservation holds units of. */
  readonly owned_items: readonly Item[];
  readonly remembered: Remembered | null;
  /** What the named caller takes up; with all callers of its origin, of its channel, and at all. Null where none was named. */
  readonly usage: CallerUsage;
  /** By item row: units that live reservations of the holder hold; null where none was named. */
  readonly own_units: ReadonlyMap<number, number> | null;
  /** By item row: when the first of the named principal's reservations of it expires, where that is among the next to expire at all. */
  readonly expiries: ReadonlyMap<number, LedgerMs>;
  /** By level: holds whose next move waits for a report, and mirrored ones whose time at the shop runs out. */
  readonly awaiting: ReadonlyMap<number, readonly Hold[]>;
  /** By level: holds of live reservations that draft orders keep, those that last longest first, up to a limit. */
  readonly mirrored: ReadonlyMap<number, readonly Hold[]>;
  /** By level: holds that the shop's figures leave out, and whose level is a guess. */
  readonly guessed: ReadonlyMap<number, readonly Hold[]>;
  /** By level of the hold: units of our own writes whose intent is written and whose outcome is not known yet. */
  readonly under_way: ReadonlyMap<number, readonly UnitsUnderWay[]>;
  /** By id of an item that was asked for: units of placed orders that are being moved from one level of it to another. */
  readonly routed: ReadonlyMap<string, readonly RoutedUnits[]>;
  /** Mirrors of the named principal that wait for their turn, up to a limit; 0 where none was named. */
  readonly waiting_mirrors: number;
  /** Whether the journal has it already that a checksum was refused for the owned reservation because it was never issued. */
  readonly has_refused_hash: boolean;
  /** By item row: past checksums, newest first. */
  readonly history: ReadonlyMap<number, readonly PastHash[]>;
  /**
   * By level: live units of the owned reservation and of those before it, and with them what `returning` has: until the shop has
   * let go, those units count as somebody's.
   */
  readonly precedence: ReadonlyMap<number, number>;
  /** By level: units that the shop still holds and that are nobody's any more. Loaded with `precedence`. */
  readonly returning: ReadonlyMap<number, number>;
}

/** Units of one hold whose write at the shop may or may not have happened when its levels were read. */
export interface UnitsUnderWay {
  /** Positive where the figure may leave them out although our sums do not say so yet; negative where it may have them back. */
  readonly units: number;
  /** True for a move of stock, which happens at the hold's own level. A draft order's level is the shop's choice. */
  readonly is_exact: boolean;
}

export interface NewReservation {
  readonly id: string;
  readonly principal: string;
  readonly channel: string | null;
  readonly origin: string | null;
  readonly pooled: boolean;
  readonly lines: readonly ReservationLine[];
  readonly stock_hash: StockHash;
  readonly created_at_ms: LedgerMs;
  readonly expires_at_ms: LedgerMs;
  readonly holds: readonly { readonly level_key: number; readonly quantity_units: number }[];
  readonly tag: string;
  readonly due_at_ms: LedgerMs | null;
}

/** New sums of a level. */
export interface LevelSums {
  readonly level_key: number;
  readonly held_units: number;
  readonly mirrored_units: number;
  readonly doubted_units: number;
  readonly under_way_units: number;
}

export type LevelPut = Omit<
  Level,
  | 'level_key'
  | 'location_name'
  | 'location_position'
  | 'location_open'
  | 'till_only'
  | 'expired_units'
  | 'routed_units'
>;

/** An item as it shall be, matched by `item_id`; its levels by location. Levels left out stay as they are. */
export type ItemPut = Omit<Item, 'item_key' | 'confirmed_at_ms' | 'levels'> & {
  readonly levels: readonly LevelPut[];
  /** True when the state version is new and its checksum has to be remembered. */
  readonly is_new_version: boolean;
};

export interface RenamedItem {
  readonly item: ItemPut;
  /** It gets the shop's SKU for its name, and so is written after those that give it up. */
  readonly is_owner: boolean;
}

/** A hold as it was and as it shall be, at the same level. */
export type HoldMove =
  | { readonly hold: Hold /** Null deletes it. */; readonly to: Hold | null }
  /** Units that turn out to stand at another level than the hold's. */
  | { readonly hold: null; readonly to: Hold };

/**
 * Whose rows are looked at again at once, because of what a report says of the item that the decision puts. `short_units`: the
 * youngest of those that have units of it at the shop, as many as hold so many units together. `sales`: every order of it that
 * the shop has a hold for: it is not for sale any more. `reservation_keys`: these.
 */
export interface WakeHolders {
  readonly short_units: number;
  readonly sales: boolean;
  readonly reservation_keys: readonly number[];
}

/** Units that are being moved with an order, as they are known from now on, and those that need no attention any more. */
export interface RoutedChanges {
  readonly put?: readonly RoutedUnits[];
  readonly drop?: readonly RoutedUnits[];
}

export interface JointDecision<R> {
  readonly result: R;
  /** What changes of the row of that index. Left out: nothing of any. Must not throw: by then others have been changed. */
  readonly change?: (index: number, state: LedgerState) => Changes | undefined;
}

/** Everything that a decision changes. Applied whole, in one commit, or not at all. */
export interface Changes {
  readonly new_reservation?: NewReservation;
  readonly reservation?: { readonly reservation_key: number; readonly state: ReservationState };
  readonly new_order?: Order;
  readonly order?: Order;
  readonly holds?: readonly HoldMove[];
  readonly sums?: readonly LevelSums[];
  readonly item?: ItemPut;
  /** Items whose names change with that of `item`. */
  readonly renamed?: readonly RenamedItem[];
  readonly outbox?: OutboxRow;
  readonly routed?: RoutedChanges;
  readonly wake?: WakeHolders;
  readonly reconciliation?: ReconcileReport;
  readonly remember?: { readonly input_hash: string; readonly answer: Readonly<Record<string, unknown>> };
  readonly journal?: readonly JournalDraft[];
}

export interface Decision<R> {
  readonly result: R;
  readonly changes?: Changes;
}

export interface FoundItem {
  readonly sku: string;
  readonly title: string;
  readonly variant: string;
}

/** Which rows of a list a merchant wants, newest first. With several of the filters on, the rows that any of them lets through. */
export interface OrderQuery {
  readonly limit: number;
  /** Only what is older than this one. */
  readonly beforeOrderId: string | null;
  readonly isHeld: boolean;
  readonly isParked: boolean;
}

export interface ReservationQuery {
  readonly limit: number;
  readonly beforeReservationId: string | null;
  /** Of which the time is not over. */
  readonly isActive: boolean;
  readonly isParked: boolean;
}

/** An order as a merchant lists it. */
export interface OrderListing {
  readonly order_id: string;
  readonly reservation_id: string;
  readonly principal: string;
  /** Where the caller sells, as its token says. */
  readonly channel: string | null;
  readonly state: OrderState;
  /** Null unless it is held. */
  readonly held_for: HeldReason | null;
  /** When a held order is given up; null where it follows from the settings. */
  readonly held_until_ms: LedgerMs | null;
  readonly hash_verdict: HashVerdict;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly submitted_at_ms: LedgerMs;
  readonly upstream_order_name: string | null;
  /** Null where it is left to the shop what it ships the order from. */
  readonly route_state: RouteState | null;
  readonly route_why: RouteEnd | null;
  /** The server has given up on its shop side: a person has to look. */
  readonly parked: boolean;
  /** Steps at the shop in a row that did not succeed. */
  readonly attempts: number;
  readonly last_failure: string | null;
}

export interface ReservationListing {
  readonly reservation_id: string;
  readonly principal: string;
  /** Where the caller sells, as its token says. */
  readonly channel: string | null;
  readonly state: ReservationState;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly created_at_ms: LedgerMs;
  readonly expires_at_ms: LedgerMs;
  /** The server has given up on its shop side: a person has to look. */
  readonly parked: boolean;
  readonly last_failure: string | null;
}

export interface DueWork {
  readonly reservation_key: number;
  readonly principal: string;
}

export interface DueRows {
  readonly rows: readonly DueWork[];
  /** The last caller that was asked, where there were too many to ask all: the next look goes on behind it. */
  readonly asked_up_to: string | null;
}

/** A row of which the shop may still carry out what it was asked for. */
export interface LateRow {
  readonly reservation_key: number;
  readonly tag: string;
  readonly late_since_ms: LedgerMs;
}

/** Work on the shop's side: what an order needs goes before mirrors of reservations, and before tidying up after them. */
export type OutboxLane = 'orders' | 'holds';

/** A message of the shop that is let in. */
export interface InboxDelivery {
  readonly delivery_id: string;
  readonly topic: string;
  readonly hints: readonly ShopHint[];
}

/** A message that waits for what it names to be looked at. */
export interface WaitingDelivery extends InboxDelivery {
  /** In order of arrival, never used again. */
  readonly seq: number;
  readonly received_at_ms: LedgerMs;
  /** How often it was put off. */
  readonly attempts: number;
}

export interface InboxState {
  readonly waiting: number;
  readonly oldest_received_at_ms: LedgerMs | null;
}

/** An item that a full read did not bring. */
export interface UnreadItem {
  readonly item_key: number;
  readonly item_id: string;
}

/** How well an item is known, and as what. */
export interface ItemTimes {
  readonly item_id: string;
  readonly variant_id: string;
  readonly lifecycle: Lifecycle;
  readonly off_sale: OffSale | null;
  readonly read_at_ms: LedgerMs;
  readonly dirty_at_ms: LedgerMs | null;
}

/**
 * A place in what the ledger has lived through. A store makes it, and is given it back as it is; nobody else reads it
 * but for `looked_at_ms`.
 */
export interface ChangeCursor {
  /** Another one as soon as anybody, in whichever process, has committed anything. */
  readonly version: string;
  /** Of the journal. */
  readonly seq: number;
  /** Time of the newest commit: whatever is committed later is not of an earlier one (L9). */
  readonly written_at_ms: LedgerMs;
  /** When it was looked: reservations that ended by then are known to be over. */
  readonly looked_at_ms: LedgerMs;
  readonly confirmed_at_ms: LedgerMs;
  /** All locations as one text. */
  readonly locations: string;
}

/** Whose stock may be answered otherwise than before. Never too few, save for what no row and no time tells. */
export interface StockChanges {
  readonly cursor: ChangeCursor;
  readonly skus: ReadonlySet<string>;
  readonly item_keys: ReadonlySet<number>;
  /** More has happened than was asked for, or a location has changed: any item may be another. */
  readonly is_everything: boolean;
  /** A heartbeat has confirmed the shop: what was too old may be fresh again. */
  readonly is_confirmed: boolean;
  /** False: nobody has committed anything; at most time went by. */
  readonly is_written: boolean;
}

/**
 * A database. `transact` loads and locks the keys, decides once, applies, and answers after the commit is
 * durable. `decide` must be pure: an engine may run it again. Rejects with `StoreBusy` when the lock could
 * not be had in time; then nothing was written.
 */
export interface Store {
  transact<R>(keys: Keys, decide: (state: LedgerState) => Decision<R>): Promise<R>;
  /**
   * One transaction about several rows, all of it or nothing. `plan` sees every state first; `change` is then asked for each of
   * them in turn, with the state as the changes before have left it.
   */
  transactAll<R>(
    keys: readonly Keys[],
    plan: (states: readonly LedgerState[]) => JointDecision<R>,
  ): Promise<R>;
  /** The newest entry of the journal. */
  readAnchor(): Promise<Anchor>;
  /** One consistent snapshot, no lock. */
  read<R>(keys: Keys, view: (state: LedgerState) => R): Promise<R>;
  /**
   * What has happened to stock since a cursor, by anybody: changes, holds and their ends, marks, and reservations whose
   * time has run out. Null: only the cursor of now. More than `limit` of one kind are told as `is_everything`.
   */
  changesSince(cursor: ChangeCursor | null, limit: number): Promise<StockChanges>;
  searchItems(query: string, limit: number): Promise<readonly FoundItem[]>;
  /** Active reservations past their expiry, oldest first. */
  expiredReservations(limit: number): Promise<readonly { readonly reservation_key: number }[]>;
  /**
   * Outbox rows of a lane that are due and that no other living worker has: one of each caller in turn, the longest due first.
   * Turns begin behind `after`, the caller that was served last.
   */
  dueOutbox(lane: OutboxLane, limit: number, after: string | null): Promise<DueRows>;
  /** Rows of which something of unknown outcome was taken for never carried out after that time, newest first. */
  lateRows(after: LedgerMs, limit: number): Promise<readonly LateRow[]>;
  /** What rows have moved out of what can be sold, by their newest requests. */
  movedUnits(): Promise<readonly MovedUnits[]>;
  /** Items behind `after_key`, in the order of their keys, whose own last read began before that time. */
  itemsNotReadSince(before: LedgerMs, after_key: number, limit: number): Promise<readonly UnreadItem[]>;
  /** Items with a level of which an implausible rise is withheld, in the order of their keys. */
  unprovenItems(after_key: number, limit: number): Promise<readonly UnreadItem[]>;
  /** The ledger's items among these are dirty from now on: they promise nothing until they are read again. */
  markDirty(itemIds: readonly string[]): Promise<void>;
  /** How a reservation began and its newest entries, oldest first. */
  timeline(reservationKey: number, limit: number): Promise<readonly JournalEntry[]>;
  /** Changes of an item's stock between two entries of the journal, oldest first. */
  itemTimeline(
    itemKey: number,
    seqs: { readonly from: number; readonly to: number },
    limit: number,
  ): Promise<readonly JournalEntry[]>;
  /** Newest first; null when the order to go on from is not there. */
  listOrders(query: OrderQuery): Promise<readonly OrderListing[] | null>;
  listReservations(query: ReservationQuery): Promise<readonly ReservationListing[] | null>;
  /** Of these references of the shop's, those of orders of ours. */
  ordersOfOurs(orderRefs: readonly string[]): Promise<readonly string[]>;
  /** References of orders that the shop has and that were never looked at since, oldest first. */
  unseenOrders(limit: number): Promise<readonly string[]>;
  /** The shop's own cursor for the next question what became of our orders; null before the first. */
  orderCursor(): Promise<string | null>;
  putOrderCursor(cursor: string): Promise<void>;
  /** Names where items had to be published to be sold, when they were last read; null when nobody has written it yet. */
  publicationKey(): Promise<string | null>;
  putPublicationKey(key: string): Promise<void>;
  lastReconciliation(): Promise<ReconcileReport | null>;
  /** Newest first; the last hundred are kept. */
  reconciliations(limit: number): Promise<readonly ReconcileReport[]>;
  /**
   * True when something is different. Items stocked where a location opens again are dirty from now on: what is known of
   * their levels there is from before it closed.
   */
  putLocations(locations: readonly LocationRow[]): Promise<boolean>;
  /**
   * `expected`: writes only where this is still the cursor, in one step; false when it is not. No time goes back: an
   * older baseline or confirmation than the one that is there is left out.
   */
  putSync(sync: SyncState, expected?: { readonly cursor: string | null }): Promise<boolean>;
  /** Takes or renews a named lease; false while somebody else has it. */
  lease(name: string, owner: string, ttlMs: number): Promise<boolean>;
  releaseLease(name: string, owner: string): Promise<void>;
  /**
   * Takes a message in: its row, its id, and a mark on every item that it names and the ledger knows. One that was taken
   * before is `replayed`; when as many wait as may wait, it is `full`: neither writes anything.
   */
  receive(delivery: InboxDelivery, waitingMax: number): Promise<'taken' | 'replayed' | 'full'>;
  /** Messages that may be worked on now, in order of arrival. */
  waitingDeliveries(limit: number): Promise<readonly WaitingDelivery[]>;
  inboxState(): Promise<InboxState>;
  /** Reservations of which a hold has been unplaced for longer than that (`isUnplaced`). */
  countUnplaced(unplacedAfterMs: number): Promise<number>;
  /** What they name has been looked at: they are forgotten, but for their ids. */
  settleDeliveries(seqs: readonly number[]): Promise<void>;
  /** They wait at least that much longer. */
  putOffDeliveries(delays: readonly { readonly seq: number; readonly delay_ms: number }[]): Promise<void>;
  /** Of those that the ledger knows. */
  itemTimes(itemIds: readonly string[]): Promise<ReadonlyMap<string, ItemTimes>>;
  /** The items that the ledger knows by each of these names. */
  itemsNamed(
    kind: 'variant' | 'product',
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, readonly string[]>>;
  /** The outbox rows that rest on these holds of the shop are due now. Answers how many. */
  wakeHolds(holdRefs: readonly string[]): Promise<number>;
  /** Of what callers take up nothing is kept any more, until somebody is judged by it. */
  dropTallies(): Promise<void>;
  /** Forgets idempotency keys, past checksums and ids of deliveries older than the ages given, in small batches. */
  prune(maxAges: {
    readonly idempotency_ms: number;
    readonly history_ms: number;
    readonly deliveries_ms: number;
    /** Of callers that have nothing any more: longer than any limit looks back. */
    readonly usage_ms: number;
  }): Promise<number>;
}

/** Hears an entry of the journal once it is committed, with the id of the reservation that it is about; null where there is none. */
export type JournalWatch = (entry: JournalDraft, reservationId: string | null) => void;

/** Told after a commit of this process that made a reservation or accepted an order, by the row's tag. */
export type IntentWatch = (tag: string, intent: 'reserved' | 'accepted') => void;

/** The lock could not be had within the store's deadline. Nothing was written; the same call may be made again. */
export class StoreBusy extends Error {
  constructor() {
    super('the ledger is busy');
    this.name = 'StoreBusy';
  }
}

export interface ShopSearch {
  readonly query: string;
  readonly limit: number;
}

/** Re-reads the shop. Implemented by src/sync, which the ledger does not know. */
export interface StockFreshener {
  /** Re-reads the items with these SKUs into the ledger; false when the shop could not be read in time. */
  freshen(skus: readonly string[], deadlineMs: number): Promise<boolean>;
}

/** Searches the shop itself, for a call that comes before the first full read is through. Implemented by src/sync. */
export interface ShopSearcher {
  /**
   * Items on sale that the shop's own search finds by a buyer's words, read into the ledger like all others. Null when the shop could
   * not be asked in time.
   */
  search(wanted: ShopSearch, deadlineMs: number): Promise<readonly FoundItem[] | null>;
}

/** Told after a commit that made work for a loop: a hint, never the only way the work is found. */
export interface Nudges {
  outboxDue(): void;
}

/** Told of every wish that a quota refused: to be counted, because a loop of them must not fill the journal. */
export type QuotaWatch = (limit: QuotaName, principal: string) => void;

export interface LedgerPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly freshener: StockFreshener;
  readonly searcher: ShopSearcher;
  readonly nudges: Nudges;
  readonly onQuota?: QuotaWatch;
  readonly onDecision?: DecisionWatch;
  /** Whether only one principal can call this process. Left out: others can. */
  readonly isAlone?: () => boolean;
  readonly settings: LedgerSettings;
  /** Resolves after that many milliseconds; used to wait for a revalidation. */
  readonly sleep: (ms: number) => Promise<void>;
}

export type Answer<T> = Promise<Result<T>>;
